import Dispatch
import ShoalTypes
import Synchronization

/// A value that one thread waits for and another sets, once.
package final class Awaited<Value: Sendable>: Sendable {
    private let value = Mutex<Value?>(nil)
    private let isSet = DispatchSemaphore(value: 0)

    package init() {}

    package func set(_ value: Value) {
        self.value.withLock { $0 = value }
        isSet.signal()
    }

    @discardableResult
    package func wait() -> Value {
        isSet.wait()
        guard let value = value.withLock({ $0 }) else { preconditionFailure("signalled without a value") }
        return value
    }

    /// nil if it took longer than `interval`.
    package func wait(_ interval: Interval) -> Value? {
        guard isSet.wait(timeout: .now() + .nanoseconds(Int(interval.nanoseconds))) == .success else { return nil }
        return value.withLock { $0 }
    }
}
