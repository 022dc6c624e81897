import CFuse3
import Glibc
import Synchronization

/// What libfuse has to say: it would go to stderr; we keep the last line, as the reason in our errors.
enum FuseLog {
    /// With its newline once it is complete: libfuse writes some lines in pieces.
    private static let lastLine = Mutex("")

    /// Takes over libfuse's log. Idempotent.
    static func capture() {
        fuse_set_log_func { _, format, arguments in
            guard let format, let arguments else { return }
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { buffer in
                guard vsnprintf(buffer.baseAddress!, buffer.count, format, arguments) > 0 else { return }
                let piece = String(cString: buffer.baseAddress!)
                FuseLog.lastLine.withLock { $0 = $0.last?.isNewline == true ? piece : $0 + piece }
            }
        }
    }

    /// The last line, and forgets it.
    static func takeLastLine() -> String {
        lastLine.withLock { line in
            defer { line = "" }
            while line.last?.isNewline == true { line.removeLast() }
            return line
        }
    }
}
