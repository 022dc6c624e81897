import Glibc

/// A call that failed, and its errno.
package struct SystemCallError: Error, Equatable, CustomStringConvertible {
    package let call: String
    package let code: CInt
    package init(_ call: String, _ code: CInt = errno) {
        self.call = call
        self.code = code
    }
    package var description: String { "\(call): \(String(cString: strerror(code)))" }
}

/// The result of a call that answers -1 for failure.
@discardableResult
package func check<Number: FixedWidthInteger>(_ result: Number, _ call: String = "call") throws -> Number {
    guard result != -1 else { throw SystemCallError(call) }
    return result
}
