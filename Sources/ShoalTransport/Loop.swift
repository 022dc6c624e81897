import Glibc
import NIOCore
import NIOPosix
import ShoalRPC
import ShoalTypes
import Synchronization

/// One event loop with its thread: the owner of a core and of its connections.
///
/// What the parts of a loop write during one callback leaves together when the callback returns.
// @unchecked Sendable: the mutable state is used on the loop's thread only.
package final class Loop: Scheduler, @unchecked Sendable {
    let eventLoop: any EventLoop
    private let group: MultiThreadedEventLoopGroup
    private let isShutDown = Atomic<Bool>(false)
    private var isInBatch = false
    private var isFlushScheduled = false
    private var unflushed: [Connection] = []
    private var callers: [TransportPeer] = []
    private var spareBuffers: [ByteBuffer] = []
    /// Made on the loop's thread, which it is about.
    private lazy var follower = makeFollower()

    /// `name` tells loops apart in descriptions.
    package init(name: String) {
        _ = Allocation.isTuned
        self.name = name
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        eventLoop = group.next()
    }

    package let name: String

    /// Runs `body` on the loop, from any thread. Without effect after `shutDown`.
    package func execute(_ body: @escaping @Sendable () -> Void) {
        guard !isShutDown.load(ordering: .relaxed) else { return }
        eventLoop.execute { self.batch(body) }
    }

    package var isCurrent: Bool { eventLoop.inEventLoop }

    /// Closes every connection and listener of the loop and ends its thread; returns when it has ended. Not on the
    /// loop. Once.
    package func shutDown() {
        precondition(!isCurrent, "a loop cannot wait for its own end")
        guard !isShutDown.exchange(true, ordering: .relaxed) else { return }
        do { try group.syncShutdownGracefully() } catch { preconditionFailure("a loop shuts down once: \(error)") }
    }

    package var now: MonotonicInstant {
        let time = Loop.read(CLOCK_MONOTONIC)
        return MonotonicInstant(Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
    }

    package var wallClock: Timestamp {
        let time = Loop.read(CLOCK_REALTIME)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
    }

    private static func read(_ clock: clockid_t) -> timespec {
        var time = timespec()
        clock_gettime(clock, &time)
        return time
    }

    @discardableResult
    package func schedule(after interval: Interval, _ body: @escaping () -> Void) -> any ScheduledTimer {
        eventLoop.assertInEventLoop()
        let timer = LoopTimer(body)
        if interval.nanoseconds <= 0 {
            eventLoop.execute { self.batch { timer.fire() } }
        } else {
            timer.scheduled = eventLoop.scheduleTask(in: .nanoseconds(interval.nanoseconds)) {
                self.batch { timer.fire() }
            }
        }
        return timer
    }

    /// Runs `body` at the loop's next turn. On the loop.
    func later(_ body: @escaping () -> Void) {
        eventLoop.assertInEventLoop()
        let confined = Confined(body)
        eventLoop.execute { self.batch { confined.value() } }
    }
}

// Batches of output.
extension Loop {
    /// Runs `body`; what it writes to connections leaves when it returns.
    @inline(__always)
    func batch(_ body: () -> Void) {
        guard !isInBatch else { return body() }
        isInBatch = true
        body()
        isInBatch = false
        flush()
    }

    /// `connection` has output, and had none before.
    func needsFlush(_ connection: Connection) {
        unflushed.append(connection)
        guard !isInBatch, !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.execute {
            self.isFlushScheduled = false
            self.flush()
        }
    }

    private func flush() {
        while let connection = unflushed.popLast() { connection.flush() }
    }
}

// Which processor the loop runs on.
extension Loop {
    /// `thread` works for this loop's callers: it goes where the loop goes, and lives as long. On the loop.
    package func takeAlong(_ thread: pthread_t) {
        follower?.take(thread)
    }

    /// A message came in; `caller` tells the processor of who sent it, if that is somebody who waits for an answer.
    @inline(__always)
    func received(from caller: (() -> Int?)?) { follower?.count(now: now, caller: caller) }

    private func makeFollower() -> ProcessorFollower? {
        eventLoop.assertInEventLoop()
        return ProcessorFollower(now: now)
    }
}

// Deadlines: one sweep over the peers that have calls open, as long as there are any.
extension Loop {
    /// `peer` has a call open, and had none since it was last swept.
    func sweep(_ peer: TransportPeer, every grain: Interval) {
        callers.append(peer)
        if callers.count == 1 { scheduleSweep(every: grain) }
    }

    private func scheduleSweep(every grain: Interval) {
        eventLoop.scheduleTask(in: .nanoseconds(grain.nanoseconds)) {
            self.batch {
                let swept = self.callers
                self.callers.removeAll(keepingCapacity: true)
                let now = self.now
                var remaining = swept.filter { $0.endExpiredCalls(now: now) }
                // Peers that a completion made a caller have scheduled the next sweep.
                let isScheduled = !self.callers.isEmpty
                remaining.append(contentsOf: self.callers)
                self.callers = remaining
                if !isScheduled, !remaining.isEmpty { self.scheduleSweep(every: grain) }
            }
        }
    }
}

// Buffers for frames that come in several pieces.
extension Loop {
    private static let spareBuffersMax = 4
    private static let spareBytesMax = 2 << 20

    func takeBuffer(capacity: Int) -> ByteBuffer {
        var buffer = spareBuffers.popLast() ?? ByteBuffer()
        buffer.clear(minimumCapacity: capacity)
        return buffer
    }

    func recycle(_ buffer: ByteBuffer) {
        guard spareBuffers.count < Loop.spareBuffersMax, buffer.capacity <= Loop.spareBytesMax else { return }
        spareBuffers.append(buffer)
    }
}
