import ArgumentParser
import CLinux
import Glibc

/// `shoal-exercise trees`.
struct Trees: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Do the same random operations on a local directory and on a mount, and compare after each.",
        discussion: """
            Several trees are worked on at once, each by several processes that take turns, as root and as another \
            user. After each operation everything that it named is compared: answer and errno, attributes, extended \
            attributes, directories, contents; now and then the whole tree. With several MOUNT arguments (the same \
            directory, seen through several mounts) operations alternate between them, and each is looked at through \
            another one. Prints the seed; the same seed repeats the same operations. Needs root.
            """)

    @Argument(help: "An empty directory of the local disk (ext4), which says what is right.")
    var local: String
    @Argument(help: "The same empty directory of the filesystem under test, as one or more mounts show it.")
    var mounts: [String]
    @Option(help: "Where the random numbers begin.") var seed: UInt64?
    @Option(help: "Operations over all trees.") var operations = 10_000
    @Option(help: "Trees that are worked on at the same time.") var trees = 2
    @Option(help: "Processes that take turns on one tree.") var processes = 2
    @Option(help: "Compare the whole tree after so many operations.") var wholeEvery = 50
    @Option(help: "Operations to show before a difference.") var history = 60
    @Option(help: .hidden) var tree: Int?
    @Option(help: .hidden) var process: Int?
    @Option(help: .hidden) var turns: String?

    func validate() throws {
        guard operations > 0, (1...32).contains(trees), (1...16).contains(processes), wholeEvery > 0, !mounts.isEmpty
        else {
            throw ValidationError(
                "--operations and --whole-every are 1 or more, --trees 1 to 32, --processes 1 to 16, and a mount is there"
            )
        }
        guard geteuid() == 0 else { throw ValidationError("needs root: it acts as several users") }
    }

    func run() throws {
        if let tree, let process, let turns { return try work(tree, process, Turns(process: process, pipes: turns)) }
        umask(0)
        let seed = self.seed ?? UInt64.random(in: .min ... .max)
        print("trees: SHOAL_TEST_SEED=\(seed)")
        var children: [Child] = []
        for tree in 0..<trees {
            for root in [local, mounts[0]] {
                let path = "\(root)/\(Trees.name(tree))"
                let made = Kernel.with(path) { Kernel.call(SYS_mkdirat, Kernel.currentDirectory, $0, 0o777) }
                guard made == 0 else { throw Broken(path, made) }
            }
            let pipes = try Turns.makePipes(processes)
            for process in 0..<processes {
                children.append(
                    try Child(
                        ["trees", local] + mounts + [
                            "--seed", "\(seed)", "--operations", "\(share(of: tree))", "--whole-every",
                            "\(wholeEvery)", "--history", "\(history)", "--processes", "\(processes)", "--tree",
                            "\(tree)", "--process",
                            "\(process)", "--turns", pipes,
                        ]))
            }
        }
        guard Child.waitForAll(children) else { throw ExitCode.failure }
        print("\(operations) operations, no difference")
    }

    private func share(of tree: Int) -> Int { operations / trees + (tree < operations % trees ? 1 : 0) }

    private static func name(_ tree: Int) -> String { "tree\(tree)" }

    /// As one of the processes of one tree.
    private func work(_ tree: Int, _ process: Int, _ turns: Turns) throws {
        Child.endWithParent()
        // A FIFO may lose its reader.
        signal(SIGPIPE, SIG_IGN)
        umask(0)
        let (seed, name) = (self.seed ?? 0, Trees.name(tree))
        var worker = try TreesWorker(
            seed: seed &+ UInt64(tree) &* 0x9E37, turns: turns, processes: processes, wholeEvery: wholeEvery,
            historyMax: history,
            reference: "\(local)/\(name)", subjects: mounts.map { "\($0)/\(name)" })
        do { try worker.run(operations: operations) } catch let broken as Broken {
            print("tree \(tree), process \(process), of seed \(seed): \(broken)")
            throw ExitCode.failure
        }
    }
}
