/// Carries a value of the loop through another thread, which never looks at it.
struct LoopBound<Value>: @unchecked Sendable {  // opened on the loop only
    let value: Value
    init(_ value: Value) { self.value = value }
}
