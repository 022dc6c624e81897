import ShoalTypes

/// The clock and timers of the one loop that owns a core. Production: an event loop; tests and simulation: a virtual
/// clock. Everything is called, and calls back, on that loop.
package protocol Scheduler: AnyObject {
    /// The monotonic clock.
    var now: MonotonicInstant { get }
    /// The wall clock (CLOCK_REALTIME), for file times.
    var wallClock: Timestamp { get }
    /// Calls `body` on the loop once `interval` has passed; at the loop's next turn for zero.
    @discardableResult
    func schedule(after interval: Interval, _ body: @escaping () -> Void) -> any ScheduledTimer
}

package protocol ScheduledTimer: AnyObject {
    /// No effect once the body has run.
    func cancel()
}
