/// Why a check did not pass.
enum Verdict: Error {
    case failed(expected: String, came: String)
    case skipped(String)

    /// What a check's body threw: closures throw any error.
    init(_ error: any Error) {
        self = error as? Verdict ?? .failed(expected: "a verdict", came: "\(error)")
    }
}

func equal<Value: Equatable>(_ came: Value, _ expected: Value, _ what: String) throws(Verdict) {
    guard came == expected else { throw .failed(expected: "\(what) \(expected)", came: "\(came)") }
}

func different<Value: Equatable>(_ came: Value, from other: Value, _ what: String) throws(Verdict) {
    guard came != other else { throw .failed(expected: "\(what) other than \(other)", came: "the same") }
}

func holds(_ condition: Bool, _ what: String, came: String = "not so") throws(Verdict) {
    guard condition else { throw .failed(expected: what, came: came) }
}

/// In octal, as ls and chmod have it.
func equalMode(_ came: UInt32, _ expected: UInt32, _ what: String = "mode") throws(Verdict) {
    guard came == expected else {
        throw .failed(expected: "\(what) 0\(String(expected, radix: 8))", came: "0\(String(came, radix: 8))")
    }
}
