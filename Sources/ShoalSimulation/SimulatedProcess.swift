import ShoalRPC
import ShoalTypes

/// One process: its clock and timers, which can be stopped (SIGSTOP: what comes due waits, and time goes on) and ended
/// (SIGKILL: nothing of it runs any more).
// @unchecked Sendable: a simulation is one thread.
package final class SimulatedProcess: Scheduler, @unchecked Sendable {
    private final class Timer: ScheduledTimer {
        var body: (() -> Void)?
        init(body: @escaping () -> Void) { self.body = body }
        func cancel() { body = nil }
    }

    package let name: String
    private let clock: VirtualScheduler
    /// Of its monotonic clock from that of the others: no two machines have the same.
    private let clockOffset: Interval
    private var held: [() -> Void] = []
    package private(set) var isStopped = false
    package private(set) var hasEnded = false

    package init(name: String, clock: VirtualScheduler, clockOffset: Interval = Interval(nanoseconds: 0)) {
        self.name = name
        self.clock = clock
        self.clockOffset = clockOffset
    }

    package var now: MonotonicInstant { clock.now + clockOffset }
    package var wallClock: Timestamp { clock.wallClock }

    @discardableResult
    package func schedule(after interval: Interval, _ body: @escaping () -> Void) -> any ScheduledTimer {
        let timer = Timer(body: body)
        clock.schedule(after: interval) { [self] in run { timer.body?() } }
        return timer
    }

    /// Runs `body` now, when the process goes on, or never.
    package func run(_ body: @escaping () -> Void) {
        if hasEnded { return }
        if isStopped { held.append(body) } else { body() }
    }

    /// SIGSTOP, and SIGCONT after `pause`: what has come due meanwhile runs at once, in the order in which it came.
    package func stop(for pause: Interval) {
        isStopped = true
        clock.schedule(after: pause) { [self] in goOn() }
    }

    private func goOn() {
        guard isStopped else { return }
        isStopped = false
        let held = held
        self.held = []
        for body in held { clock.schedule(after: Interval(nanoseconds: 0)) { [self] in run(body) } }
    }

    package func end() {
        hasEnded = true
        held = []
    }
}
