import Glibc
import Testing
import ShoalMountTable
import ShoalTestSupport

/// A loopback cluster of real processes with some mounts, started by `shoal up` in a directory of its own.
///
/// Whatever happens, at the end its mounts are gone, its processes ended and its files deleted. A watchdog aborts the
/// FUSE connections after `secondsMax`, so that a hang is a failed test and not a hung test run.
final class Cluster {
    let root: String
    let mounts: [String]
    private let watchdog: Watchdog

    var directory: String { "\(root)/cluster" }
    /// The first and second mount.
    var a: String { mounts[0] }
    var b: String { mounts[1] }
    /// For scripts: the mounts as A and B, a directory on the local disk as T, the `shoal` program as SHOAL.
    var environment: [String: String] {
        var result = ["T": "\(root)/local", "SHOAL": Cluster.binary, "DIR": directory]
        for (name, path) in zip(["A", "B"], mounts) { result[name] = path }
        return result
    }

    /// Runs `body` with a cluster that is up and mounted.
    @discardableResult
    static func with<Result>(
        nodes: Int = 3, replicas: Int = 2, mounts: Int = 2, secondsMax: Int = 300, _ body: (Cluster) throws -> Result
    ) throws -> Result {
        let cluster = try Cluster(mounts: mounts, secondsMax: secondsMax)
        defer { cluster.close() }
        try cluster.up("--nodes", "\(nodes)", "--replicas", "\(replicas)")
        do {
            return try body(cluster)
        } catch {
            cluster.showLogs()
            throw error
        }
    }

    private init(mounts count: Int, secondsMax: Int) throws {
        root = try TemporaryDirectory.make()
        let root = root
        mounts = ["a", "b", "c", "d"].prefix(count).map { "\(root)/\($0)" }
        for path in mounts + ["\(root)/local"] { try check(mkdir(path, 0o755), "mkdir \(path)") }
        watchdog = Watchdog(prefix: root + "/", secondsMax: secondsMax)
    }

    /// The program under test.
    static let binary: String = {
        if let path = getenv("SHOAL_BINARY") { return String(cString: path) }
        return built("shoal")
    }()

    /// Another program: as it was built with the one under test, or else beside the test bundle.
    static func tool(_ program: String) -> String {
        let beside = binary.split(separator: "/", omittingEmptySubsequences: false).dropLast() + [program[...]]
        let path = beside.joined(separator: "/")
        return access(path, X_OK) == 0 ? path : built(program)
    }

    /// A program that was built beside the test bundle.
    static func built(_ program: String) -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let bundle = String(decoding: buffer[..<max(count, 0)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/\(program)"
    }

    @discardableResult
    static func shoal(_ words: String..., secondsMax: Int = 60) throws -> Command.Output {
        try Command([binary] + words).wait(secondsMax: secondsMax)
    }

    /// Starts what is not running, and mounts.
    func up(_ options: String...) throws {
        let words = ["up", "--dir", directory] + options + mounts.flatMap { ["--mount", $0] }
        try run(words)
    }

    func down() throws { try run(["down", "--dir", directory]) }

    func run(_ words: [String], secondsMax: Int = 120) throws {
        let output = try Command([Cluster.binary] + words).wait(secondsMax: secondsMax)
        guard output.isSuccess else {
            throw Command.Failed(command: "shoal \(words.joined(separator: " "))", output: output)
        }
    }

    /// Runs a bash script that must succeed, with `environment`.
    @discardableResult
    func bash(_ script: String, secondsMax: Int = 120) throws -> String {
        try Command.bash(script, environment: environment, secondsMax: secondsMax)
    }

    /// Empties the caches of one mount by mounting it anew.
    func remount(_ path: String) throws {
        try run(["umount", path])
        try run(["mount", try state().meta.address, path])
    }

    /// The end of every log, on the output of the test run.
    private func showLogs() {
        do {
            print(try bash("tail -n 30 $DIR/logs/*.log"))
        } catch {
            print("no logs: \(error)")
        }
    }

    private func close() {
        do {
            // Ends in order what can end in order; the rest is killed.
            _ = try Command([Cluster.binary, "down", "--force", "--dir", directory]).wait(secondsMax: 60)
            for pid in try processes() { kill(pid, SIGKILL) }
            for mount in try MountTable.under(root + "/").reversed() {
                umount2(mount.mountpoint, CInt(MNT_DETACH))
            }
            watchdog.stop()
            try #require(try MountTable.under(root + "/").isEmpty, "never delete through a mount")
            try Command.bash("rm -rf --one-file-system -- \"$ROOT\"", environment: ["ROOT": root])
        } catch {
            watchdog.stop()
            Issue.record(error, "cleaning up \(root)")
        }
    }

    /// Every process of the program under test that names this cluster's directory: also those that cluster.json
    /// forgot.
    private func processes() throws -> [pid_t] {
        let list = try Command.bash(
            "for p in /proc/[0-9]*; do if tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -qF \"$SHOAL \" && "
                + "tr '\\0' ' ' < $p/cmdline 2>/dev/null | grep -qF \"$R/\"; then echo ${p#/proc/}; fi; done",
            environment: ["SHOAL": Cluster.binary, "R": root])
        return list.split(separator: "\n").compactMap { pid_t($0) }
    }
}
