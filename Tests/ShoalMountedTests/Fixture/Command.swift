import Dispatch
import Glibc
import ShoalTestSupport

/// A program in a process group of its own, its output kept in files.
final class Command: Sendable {
    struct Output {
        var status: CInt
        var out: String
        var err: String
        var isSuccess: Bool { status == 0 }
    }

    struct Failed: Error, CustomStringConvertible {
        var command: String
        var output: Output
        var description: String {
            "\(command.prefix(300)): exit status \(output.status): \((output.err + output.out).suffix(2000))"
        }
    }

    let pid: pid_t
    private let name: String
    private let files: [String]
    private let ended = DispatchSemaphore(value: 0)
    private let box = StatusBox()

    /// Unchecked: written once, before `ended` is signalled, and read after it.
    private final class StatusBox: @unchecked Sendable { var status: CInt = 0 }

    /// - Parameter environment: added to this process's own.
    init(_ words: [String], environment: [String: String] = [:]) throws {
        name = words.joined(separator: " ")
        let directory = try TemporaryDirectory.make()
        files = ["\(directory)/out", "\(directory)/err"]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, files[0], O_WRONLY | O_CREAT, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, files[1], O_WRONLY | O_CREAT, 0o644)
        // A group, so that a time-out reaches everything it started; no signals blocked, as in a shell.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        var variables = environment.map { "\($0)=\($1)" }
        var current = environ
        while let variable = current.pointee {
            let text = String(cString: variable)
            if environment[String(text.prefix { $0 != "=" })] == nil { variables.append(text) }
            current += 1
        }
        let arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        let table: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for pointer in arguments + table { free(pointer) } }
        var pid = pid_t()
        let code = posix_spawnp(&pid, words[0], &actions, &attributes, arguments, table)
        guard code == 0 else { throw SystemCallError("posix_spawn \(words[0])", code) }
        self.pid = pid
        let (child, box, ended) = (pid, box, ended)
        spawnThread {
            while waitpid(child, &box.status, 0) < 0, errno == EINTR {}
            ended.signal()
        }
    }

    /// Waits for its end. Past `secondsMax` the whole group is killed, and the status says so.
    func wait(secondsMax: Int = 120) -> Output {
        if ended.wait(timeout: .now() + .seconds(secondsMax)) == .timedOut {
            killpg(pid, SIGKILL)
            ended.wait()
        }
        ended.signal()
        let signal = box.status & 0x7F
        return Output(
            status: signal == 0 ? box.status >> 8 & 0xFF : 128 + signal, out: Files.text(files[0]),
            err: Files.text(files[1]))
    }

    var hasEnded: Bool {
        guard ended.wait(timeout: .now()) == .success else { return false }
        ended.signal()
        return true
    }

    deinit {
        for file in files { unlink(file) }
        rmdir(String(files[0].dropLast(4)))
    }

    /// Runs a bash script that must succeed, and returns what it wrote.
    @discardableResult
    static func bash(
        _ script: String, environment: [String: String] = [:], secondsMax: Int = 120
    ) throws -> String {
        let output = try Command(["bash", "-euo", "pipefail", "-c", script], environment: environment)
            .wait(secondsMax: secondsMax)
        guard output.isSuccess else { throw Failed(command: script, output: output) }
        return output.out
    }
}
