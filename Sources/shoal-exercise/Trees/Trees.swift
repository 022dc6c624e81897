import ArgumentParser
import CLinux
import Glibc

/// `shoal-exercise trees`.
struct Trees: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Do the same random operations on a local directory and on a mount, and compare after each.",
        discussion: """
            Several processes work at once, each in a subtree of its own, and as root and as another user. With several \
            MOUNT arguments (the same directory, seen through several mounts) operations alternate between them, and \
            each is looked at through another one. Prints the seed; the same seed repeats the same operations. \
            Needs root.
            """)

    @Argument(help: "An empty directory of the local disk (ext4), which says what is right.")
    var local: String
    @Argument(help: "The same empty directory of the filesystem under test, as one or more mounts show it.")
    var mounts: [String]
    @Option(help: "Where the random numbers begin.") var seed: UInt64?
    @Option(help: "Operations over all processes.") var operations = 10_000
    @Option(help: "Processes.") var processes = 2
    @Option(help: .hidden) var worker: Int?

    func validate() throws {
        guard operations > 0, (1...64).contains(processes), !mounts.isEmpty else {
            throw ValidationError("--operations, --processes (1 to 64) and a mount must be there")
        }
        guard geteuid() == 0 else { throw ValidationError("needs root: it acts as several users") }
    }

    func run() throws {
        umask(0)
        let seed = self.seed ?? UInt64.random(in: .min ... .max)
        if let worker { return try work(worker, seed) }
        print("trees: SHOAL_TEST_SEED=\(seed)")
        let children = try (0..<processes).map { worker in
            try Child(
                ["trees", local] + mounts + [
                    "--seed", "\(seed)", "--operations", "\(operations / processes)", "--worker", "\(worker)",
                ])
        }
        // All are waited for, whatever the first one says.
        let failures = children.map { $0.wait() }.filter { $0 != 0 }
        guard failures.isEmpty else { throw ExitCode.failure }
        print("\(operations / processes * processes) operations, no difference")
    }

    private func work(_ worker: Int, _ seed: UInt64) throws {
        let name = "worker\(worker)"
        for root in [local, mounts[0]] {
            let made = Kernel.with("\(root)/\(name)") { Kernel.call(SYS_mkdirat, Kernel.currentDirectory, $0, 0o777) }
            guard made == 0 else { throw Broken("\(root)/\(name)", made) }
        }
        var run = TreesWorker(
            seed: seed &+ UInt64(worker) &* 0x9E37, reference: "\(local)/\(name)",
            subjects: mounts.map { "\($0)/\(name)" })
        do { try run.run(operations: operations) } catch let broken as Broken {
            print("worker \(worker) of seed \(seed): \(broken)")
            throw ExitCode.failure
        }
    }
}
