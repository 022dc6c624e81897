import CLinux
import Glibc

/// This program again, with other arguments.
struct Child {
    let pid: pid_t

    /// - Parameters:
    ///   - input: What it has as its standard input; by default this process's own.
    ///   - output: Likewise.
    init(_ arguments: [String], input: CInt = 0, output: CInt = 1) throws {
        var pid = pid_t()
        let words = (["/proc/self/exe"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if input != 0 { posix_spawn_file_actions_adddup2(&actions, input, 0) }
        if output != 1 { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        let code = posix_spawn(&pid, "/proc/self/exe", &actions, nil, words, environ)
        guard code == 0 else { throw Broken("starting a process", -Int(code)) }
        self.pid = pid
    }

    /// In a child: it ends when whoever started it does.
    static func endWithParent() {
        let setParentDeathSignal = 1
        _ = Kernel.call(SYS_prctl, setParentDeathSignal, Int(SIGKILL))
    }

    /// Waits until all have ended; when one fails the others are ended.
    /// - Returns: whether all were successful.
    static func waitForAll(_ children: [Child]) -> Bool {
        var running = Set(children.map(\.pid))
        var succeeded = true
        while !running.isEmpty {
            var status: CInt = 0
            let pid = waitpid(-1, &status, 0)
            if pid < 0, errno == EINTR { continue }
            guard pid > 0 else { return false }
            running.remove(pid)
            guard status != 0 else { continue }
            if succeeded, status & 0x7f != 0 { print("a process was ended by signal \(status & 0x7f)") }
            succeeded = false
            for other in running { kill(other, SIGKILL) }
        }
        return succeeded
    }
}
