import CLinux
import Glibc

/// This program again, with other arguments.
struct Child {
    private let pid: pid_t

    init(_ arguments: [String]) throws {
        var pid = pid_t()
        let words = (["/proc/self/exe"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        let code = posix_spawn(&pid, "/proc/self/exe", nil, nil, words, environ)
        guard code == 0 else { throw Broken("starting a process", -Int(code)) }
        self.pid = pid
    }

    /// Its exit status, or 128 and the signal that ended it.
    func wait() -> Int {
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7f == 0 ? Int(status >> 8) & 0xff : 128 + Int(status & 0x7f)
    }
}
