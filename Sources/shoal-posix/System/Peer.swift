import CLinux
import Glibc

/// Another process of a check, and the line to it. Whoever waits for the other says so; nobody sleeps.
struct Peer {
    let process: pid_t
    private let line: CInt

    /// Forks. A failure in `body` is reported by the parent's next `hear` or `end`.
    static func start(_ body: (Peer) throws -> Void) throws(Verdict) -> Peer {
        var ends: [CInt] = [-1, -1]
        try Outcome(
            "socketpair", Int(socketpair(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends))
        ).succeeds()
        let process = fork()
        guard process == 0 else {
            Glibc.close(ends[1])
            try Outcome("fork", Int(process)).succeeds()
            return Peer(process: process, line: ends[0])
        }
        Glibc.close(ends[0])
        let peer = Peer(process: getppid(), line: ends[1])
        do {
            try body(peer)
        } catch {
            switch Verdict(error) {
            case .failed(let expected, let came): peer.send("failed\u{1}in the other process: \(expected)\u{1}\(came)")
            case .skipped(let reason): peer.send("skipped\u{1}\(reason)")
            }
        }
        _exit(0)
    }

    func tell(_ word: String = "go") throws(Verdict) {
        guard send(word) else { throw .failed(expected: "a peer to tell '\(word)'", came: "it is gone") }
    }

    @discardableResult
    private func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(line, bytes, bytes.count, CInt(MSG_NOSIGNAL)) == bytes.count
    }

    /// Waits for the other to say `word`.
    func hear(_ word: String = "go") throws(Verdict) {
        let said = try next()
        guard said == word else { throw .failed(expected: "a peer that says '\(word)'", came: said ?? "it ended") }
    }

    /// Whether the other has said something, within `milliseconds`.
    func isHeard(within milliseconds: CInt) -> Bool {
        var request = pollfd(fd: line, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, milliseconds) > 0
    }

    private func next() throws(Verdict) -> String? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        var count = recv(line, &buffer, buffer.count, 0)
        while count < 0, errno == EINTR { count = recv(line, &buffer, buffer.count, 0) }
        if count <= 0 { return nil }
        let words = String(decoding: buffer[..<count], as: UTF8.self).split(
            separator: "\u{1}", omittingEmptySubsequences: false)
        if words[0] == "failed", words.count == 3 {
            throw .failed(expected: String(words[1]), came: String(words[2]))
        }
        if words[0] == "skipped", words.count == 2 { throw .skipped(String(words[1])) }
        return String(words[0])
    }

    /// Waits for the other process's end, which must be an orderly one.
    func end() throws(Verdict) {
        while try next() != nil {}
        Glibc.close(line)
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        try equal(status, 0, "exit status of the other process")
    }

    /// kill -9, and waits for the end.
    func kill() throws(Verdict) {
        Glibc.kill(process, SIGKILL)
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        Glibc.close(line)
    }

    /// Waits until the other process sleeps inside system call `number`. One that has something to say, or has ended,
    /// did not block.
    func waitUntilBlocked(in number: CInt) throws(Verdict) {
        while true {
            if isHeard(within: 0) {
                let said = try next()
                throw .failed(expected: "another process that blocks", came: said.map { "'\($0)'" } ?? "its end")
            }
            let file = Glibc.open("/proc/\(process)/syscall", O_RDONLY | O_CLOEXEC)
            var buffer = [UInt8](repeating: 0, count: 256)
            let count = Glibc.read(file, &buffer, buffer.count)
            Glibc.close(file)
            guard file >= 0, count >= 0 else { throw .failed(expected: "a peer that blocks", came: "it is gone") }
            if String(decoding: buffer[..<count], as: UTF8.self).hasPrefix("\(number) ") { return }
            sched_yield()
        }
    }
}
