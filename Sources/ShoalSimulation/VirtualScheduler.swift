import ShoalRPC
import ShoalTypes

/// A clock that jumps from one timer to the next; timers of one instant run in the order in which they were made.
package final class VirtualScheduler: Scheduler {
    private final class Timer: ScheduledTimer {
        let due: MonotonicInstant
        let number: UInt64
        var body: (() -> Void)?
        init(due: MonotonicInstant, number: UInt64, body: @escaping () -> Void) {
            self.due = due
            self.number = number
            self.body = body
        }
        func cancel() { body = nil }
        static func < (lhs: Timer, rhs: Timer) -> Bool { (lhs.due, lhs.number) < (rhs.due, rhs.number) }
    }

    package private(set) var now = MonotonicInstant(1_000_000_000_000)
    private var heap: [Timer] = []
    private var lastNumber: UInt64 = 0

    /// Timers run so far.
    package private(set) var count = 0

    package init() {}

    package var wallClock: Timestamp {
        Timestamp(seconds: now.rawValue / 1_000_000_000, nanoseconds: UInt32(now.rawValue % 1_000_000_000))
    }

    @discardableResult
    package func schedule(after interval: Interval, _ body: @escaping () -> Void) -> any ScheduledTimer {
        lastNumber += 1
        let timer = Timer(due: now + interval, number: lastNumber, body: body)
        heap.append(timer)
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        return timer
    }

    /// Nothing that waits runs any more, nor is it kept in memory.
    package func end() {
        for timer in heap { timer.body = nil }
        heap = []
    }

    private func popFirst() -> Timer {
        heap.swapAt(0, heap.count - 1)
        let first = heap.removeLast()
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }

    /// Runs timers until `isDone` or `interval` has passed; returns whether it is done.
    @discardableResult
    package func run(for interval: Interval, until isDone: () -> Bool = { false }) -> Bool {
        let end = now + interval
        while !isDone() {
            guard let first = heap.first, first.due <= end else {
                now = end
                return isDone()
            }
            let timer = popFirst()
            now = max(now, timer.due)
            count += 1
            timer.body?()
        }
        return true
    }
}
