import Glibc
import ShoalTypes

/// Starts this same program in the background: its own session, no standard input, output appended to a log.
package struct BackgroundProcess: Sendable {
    /// What people call it: `meta`, `node1`, `mount /mnt`.
    package var name: String
    /// Without the program itself and without `--ready-fd`.
    package var arguments: [String]
    package var log: String
    package var readySecondsMax: Int64

    package init(name: String, arguments: [String], log: String, readySecondsMax: Int64 = 60) {
        self.name = name
        self.arguments = arguments
        self.log = log
        self.readySecondsMax = readySecondsMax
    }

    /// The descriptor on which the process reports `Readiness`.
    private static let readyDescriptor: CInt = 3

    /// POSIX_SPAWN_SETSID of <spawn.h>, which Swift imports without the GNU extensions.
    private static let newSession: CInt = 0x80

    /// A process that was started and has not reported yet.
    package struct Starting: ~Copyable {
        package let identity: ProcessIdentity
        fileprivate let process: BackgroundProcess
        fileprivate let descriptor: CInt
        deinit { close(descriptor) }

        /// Returns when the process is ready.
        /// - Throws: `.startFailed`, `.ended`; `.silent`, having stopped it.
        package borrowing func wait() throws(ClusterError) {
            let deadline = MonotonicClock.now + Interval.seconds(process.readySecondsMax)
            switch Readiness.wait(on: descriptor, until: deadline) {
            case .reported(.ready): return
            case .reported(.failed(let reason)): throw .startFailed(process.name, reason: reason)
            case .ended: throw .ended(process.name, log: process.log)
            case .silent:
                identity.signal(SIGKILL)
                throw .silent(process.name, seconds: process.readySecondsMax, log: process.log)
            }
        }
    }

    /// - Throws: `.cannotStart`.
    package func start() throws(ClusterError) -> Starting {
        var pipes: [CInt] = [-1, -1]
        guard pipe(&pipes) == 0 else { throw failure(errno) }
        for descriptor in pipes { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        defer { close(pipes[1]) }
        let pid: pid_t
        do throws(ClusterError) { pid = try spawn(reportingOn: pipes[1]) } catch {
            close(pipes[0])
            throw error
        }
        // A process that has ended already is known by its silence on the pipe.
        let identity = ProcessIdentity(runningAs: pid) ?? ProcessIdentity(pid: pid, startTicks: 0, bootID: "")
        return Starting(identity: identity, process: self, descriptor: pipes[0])
    }

    private func spawn(reportingOn descriptor: CInt) throws(ClusterError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        posix_spawn_file_actions_adddup2(&actions, descriptor, Self.readyDescriptor)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals as a fresh process has them: this one may have blocked some.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = Self.newSession | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let program = try Self.program()
        let words = [program] + arguments + ["--ready-fd", "\(Self.readyDescriptor)"]
        var pid = pid_t()
        let result = ArgumentVector.with(words) { posix_spawn(&pid, program, &actions, &attributes, $0, environ) }
        guard result == 0 else { throw failure(result) }
        return pid
    }

    private func failure(_ code: CInt) -> ClusterError {
        .cannotStart(name, reason: "\(TextFile.reason(code)) (log \(log))")
    }

    /// The path of the running program.
    private static func program() throws(ClusterError) -> String {
        guard let path = realpath("/proc/self/exe", nil) else {
            throw .file("/proc/self/exe", reason: TextFile.reason(errno))
        }
        defer { free(path) }
        return String(cString: path)
    }
}
