import CLinux
import Glibc

/// Another program.
enum Program {
    /// Runs it to its end. What it complains of goes where this process's complaints go.
    /// - Returns: What it printed.
    static func output(of words: [String]) throws -> String {
        var ends: [CInt] = [0, 0]
        let made = ends.withUnsafeMutableBufferPointer {
            Kernel.call(SYS_pipe2, Int(bitPattern: $0.baseAddress), Int(O_CLOEXEC))
        }
        guard made == 0 else { throw Broken("pipe", made) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var pid = pid_t()
        let arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let code = posix_spawn(&pid, words[0], &actions, nil, arguments, environ)
        close(ends[1])
        defer { close(ends[0]) }
        guard code == 0 else { throw Broken("starting \(words[0])", -Int(code)) }
        var output: [UInt8] = []
        while true {
            let (result, bytes) = Kernel.read(Int(ends[0]), 65_536, at: nil)
            if result == -Int(EINTR) { continue }
            if result <= 0 { break }
            output += bytes
        }
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let text = String(decoding: output, as: UTF8.self)
        guard status == 0 else { throw Broken("\(words.joined(separator: " ")) failed: \(text)") }
        return text
    }
}
