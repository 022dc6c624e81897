import NIOCore
import ShoalRPC

/// A timer of a `Loop`.
// @unchecked Sendable: used on the loop's thread only.
final class LoopTimer: ScheduledTimer, @unchecked Sendable {
    private var body: (() -> Void)?
    var scheduled: Scheduled<Void>?

    init(_ body: @escaping () -> Void) { self.body = body }

    func fire() {
        let body = self.body
        self.body = nil
        scheduled = nil
        body?()
    }

    func cancel() {
        body = nil
        scheduled?.cancel()
        scheduled = nil
    }
}

/// Carries a value through one of NIO's `@Sendable` closures back to the loop that it came from.
// @unchecked Sendable: made and used on the same loop's thread.
struct Confined<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}
