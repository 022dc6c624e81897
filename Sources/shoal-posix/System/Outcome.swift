import Glibc

/// What a system call answered, and how it was called.
struct Outcome {
    let call: String
    /// The result, or minus the errno.
    let raw: Int

    init(_ call: String, _ raw: Int) {
        self.call = call
        self.raw = raw
    }

    var error: CInt { raw < 0 ? CInt(-raw) : 0 }
    private var came: String { raw < 0 ? ErrorNumber.name(error) : "success (\(raw))" }

    /// - Returns: the call's result.
    @discardableResult
    func succeeds() throws(Verdict) -> Int {
        guard raw >= 0 else { throw .failed(expected: "success of \(call)", came: came) }
        return raw
    }

    func returns(_ value: Int) throws(Verdict) {
        guard raw == value else { throw .failed(expected: "\(value) from \(call)", came: raw < 0 ? came : "\(raw)") }
    }

    func fails(_ code: CInt) throws(Verdict) {
        guard error == code else { throw .failed(expected: "\(ErrorNumber.name(code)) from \(call)", came: came) }
    }

    /// For what POSIX leaves open: the man page's errno, or another with the same meaning.
    func fails(_ codes: [CInt]) throws(Verdict) {
        precondition(!codes.contains(0), "a failure has an errno")
        try answers(codes)
    }

    /// One of these: an errno, or 0 for success.
    func answers(_ codes: [CInt]) throws(Verdict) {
        guard codes.contains(error) else {
            let names = codes.map(ErrorNumber.name).joined(separator: " or ")
            throw .failed(expected: "\(names) from \(call)", came: came)
        }
    }

    /// The check does not apply where the call fails with `code`.
    func skips(on codes: CInt..., because reason: String) throws(Verdict) {
        if codes.contains(error) { throw .skipped(reason) }
    }
}
