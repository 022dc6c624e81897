import Synchronization

/// Cuts the power after a number of changes of the simulated disk and index: from then on every call fails.
package final class Power: Sendable {
    private struct State {
        var remaining: Int?
        var isOff = false
    }
    private let state = Mutex(State())

    package init() {}

    package var isOff: Bool { state.withLock { $0.isOff } }

    /// The power fails after `changes` more changes; never for nil.
    package func arm(after changes: Int?) {
        state.withLock { $0 = State(remaining: changes) }
    }

    /// False if the power is off; counts one change.
    package func spend() -> Bool {
        state.withLock { state in
            if state.isOff { return false }
            guard let remaining = state.remaining else { return true }
            if remaining == 0 {
                state.isOff = true
                return false
            }
            state.remaining = remaining - 1
            return true
        }
    }
}
