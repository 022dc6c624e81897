import Glibc

/// A process that tries one check under a deadline. What it opens, locks, maps or becomes ends with it; a crash is a
/// failure like another.
enum Worker {
    /// - Returns: nil if `body` returned.
    static func run(secondsMax: Double, _ body: () throws -> Void) -> Verdict? {
        var ends: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            return .failed(expected: "a socket pair", came: ErrorNumber.name(errno))
        }
        fflush(nil)
        let process = fork()
        if process == 0 {
            close(ends[0])
            setpgid(0, 0)
            var limit = rlimit(rlim_cur: 0, rlim_max: 0)
            setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
            report(body, to: ends[1])
            _exit(0)
        }
        close(ends[1])
        defer { close(ends[0]) }
        guard process > 0 else { return .failed(expected: "fork", came: ErrorNumber.name(errno)) }
        setpgid(process, process)
        return verdict(of: process, on: ends[0], secondsMax)
    }

    /// One message: `p`, `s` and a reason, or `f`, what was expected, what came.
    private static func report(_ body: () throws -> Void, to line: CInt) {
        var text = "p"
        do {
            try body()
        } catch {
            switch Verdict(error) {
            case .failed(let expected, let came): text = "f\u{1}\(expected)\u{1}\(came)"
            case .skipped(let reason): text = "s\u{1}\(reason)"
            }
        }
        let bytes = Array(text.utf8)
        send(line, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    private static func verdict(of process: pid_t, on line: CInt, _ secondsMax: Double) -> Verdict? {
        var request = pollfd(fd: line, events: Int16(POLLIN), revents: 0)
        let isReady = poll(&request, 1, CInt(secondsMax * 1000)) > 0
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = isReady ? recv(line, &buffer, buffer.count, CInt(MSG_DONTWAIT)) : 0
        let status = reap(process, isKilled: count <= 0)
        guard isReady else { return .failed(expected: "an end within \(secondsMax) s", came: "it hung") }
        guard count > 0 else { return .failed(expected: "an orderly end", came: "wait status \(status)") }
        let words = String(decoding: buffer[..<count], as: UTF8.self).split(
            separator: "\u{1}", omittingEmptySubsequences: false)
        switch (words[0], words.count) {
        case ("p", 1): return nil
        case ("s", 2): return .skipped(String(words[1]))
        case ("f", 3): return .failed(expected: String(words[1]), came: String(words[2]))
        default: return .failed(expected: "a verdict", came: words.joined(separator: " "))
        }
    }

    /// Ends the whole group, and waits a second for its leader: one that hangs in the kernel is left alone.
    private static func reap(_ process: pid_t, isKilled: Bool) -> CInt {
        var status: CInt = 0
        // A worker that closed its line is ending by itself; what it started is not.
        var isReaped = isKilled && waitpid(process, &status, WNOHANG) == process
        for _ in 0..<1000 where !isReaped {
            kill(-process, SIGKILL)
            isReaped = waitpid(process, &status, WNOHANG) == process
            if !isReaped { usleep(200) }
        }
        return status
    }
}
