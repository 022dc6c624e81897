import Logging
import ShoalTypes
import Synchronization

/// Logs what peers did wrong, at most one line per second, so that a hostile or broken peer cannot fill the log. What
/// was left out is counted in the next line.
package final class Complaints: Sendable {
    private struct State {
        var next = MonotonicInstant(.min)
        var suppressed = 0
    }
    private let state = Mutex(State())
    private let interval: Interval

    /// The one that a process shares over all its connections.
    package static let process = Complaints()

    package init(interval: Interval = .seconds(1)) { self.interval = interval }

    /// How many were suppressed before this one; nil if this one is to be suppressed.
    func admit(now: MonotonicInstant) -> Int? {
        state.withLock { state in
            guard now >= state.next else {
                state.suppressed += 1
                return nil
            }
            defer { state = State(next: now + interval, suppressed: 0) }
            return state.suppressed
        }
    }

    func log(_ message: @autoclosure () -> String, to logger: Logger, now: MonotonicInstant) {
        guard let suppressed = admit(now: now) else { return }
        if suppressed == 0 {
            logger.warning("\(message())")
        } else {
            logger.warning("\(message()) (\(suppressed) more like this were not logged)")
        }
    }
}
