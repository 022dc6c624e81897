/// A value that belongs to one loop and is carried through code that runs elsewhere.
///
/// Unchecked: touched only on the loop, or by a thread that has waited for a signal that the loop gave after its last
/// touch.
package final class LoopConfined<Value>: @unchecked Sendable {
    package var value: Value
    package init(_ value: Value) { self.value = value }
}
