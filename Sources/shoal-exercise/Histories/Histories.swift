import ArgumentParser
import CLinux
import Glibc

/// What is planted to show that it would be seen.
enum PlantedHistoryFault: String, CaseIterable, ExpressibleByArgument {
    /// Now and then a process tells what it had found the time before.
    case stale
    /// Now and then a process leaves a write or an append out.
    case lost
    /// Nobody locks the counters.
    case unlocked
}

extension Disturbance.Victims: ExpressibleByArgument {}

/// `shoal-exercise histories`.
struct Histories: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Use shared files and names from many processes on several mounts, and judge whether what they saw is linearizable.",
        discussion: """
            Blocks, sizes, logs, counters under locks, names, and files that are replaced by rename are changed and looked at by \
            all processes at once, in rounds. Each call is recorded with its begin and end, and after each round a search says whether some order of \
            the calls explains what everybody has seen. Prints the seed; the same seed draws the same operations, \
            whose interleaving is up to the kernel. With --kill, processes of a cluster that 'shoal up' has started are killed meanwhile; then \
            a call that fails with EIO or ETIMEDOUT may have happened or not.
            """)

    @Argument(help: "A directory, as one or more mounts show it.")
    var directories: [String]
    @Option(help: "Where the random numbers begin.") var seed: UInt64?
    @Option(help: "How many operations.") var operations = 20_000
    @Option(help: "Processes; each works on one mount.") var processes = 8
    @Option(help: "What to kill with SIGKILL at random moments: node, meta or all.") var kill: Disturbance.Victims?
    @Option(help: "Where 'shoal up' keeps the cluster whose processes are killed.") var cluster: String?
    @Option(help: "A call that takes longer hangs (seconds).") var patience = 120
    @Flag(help: "Show how often each call was made, and how long it took.") var verbose = false
    @Option(help: .hidden) var plant: PlantedHistoryFault?
    @Option(help: .hidden) var process: Int?

    func validate() throws {
        guard !directories.isEmpty, operations > 0, patience > 0, (directories.count...64).contains(processes) else {
            throw ValidationError("--operations and --patience are 1 or more, --processes 1 for each directory to 64")
        }
        guard (kill == nil) == (cluster == nil) else { throw ValidationError("--kill and --cluster go together") }
    }

    func run() throws {
        if let process { return try work(process) }
        let seed = self.seed ?? UInt64.random(in: .min ... .max)
        print("histories: SHOAL_TEST_SEED=\(seed)")
        // Somebody may wait for it in a file.
        fflush(nil)
        do { try record(seed) } catch let broken as Broken {
            print("seed \(seed): \(broken)")
            print(
                "again: shoal-exercise histories \(directories.joined(separator: " ")) \(options(seed).joined(separator: " "))"
            )
            throw ExitCode.failure
        }
    }

    private func options(_ seed: UInt64) -> [String] {
        var words = ["--seed", "\(seed)", "--operations", "\(operations)", "--processes", "\(processes)"]
        if let kill, let cluster { words += ["--kill", kill.rawValue, "--cluster", cluster] }
        if let plant { words += ["--plant", plant.rawValue] }
        return words
    }

    private func record(_ seed: UInt64) throws {
        let crew = try Crew(processes: processes, mountCount: directories.count, secondsMax: patience) {
            ["histories"] + directories + options(seed) + ["--process", "\($0)"]
        }
        let disturbance = try kill.map { try Disturbance($0, directory: cluster ?? "", seed: seed) }
        var run = HistoriesRun(seed: seed, crew: crew, disturbance: disturbance)
        let start = Words.now
        do { try run.run(operations: operations) } catch {
            // What was killed is started again.
            disturbance?.stop()
            throw error
        }
        let seconds = (Words.now - start) / 1_000_000_000
        disturbance?.stop()
        if let failure = disturbance?.failure { throw Broken(failure) }
        guard crew.end() else { throw Broken("a process has failed") }
        if let kills = disturbance?.kills.sorted(by: { $0.key < $1.key }) {
            print("killed: " + kills.map { "\($0.key) \($0.value) times" }.joined(separator: ", "))
        }
        print(
            "\(run.rounds) rounds on \(run.objects) objects; \(run.unknownOutcomes) outcomes unknown, "
                + "\(run.undecided) searches given up; \(run.times.longest)")
        if verbose { print(run.times.table) }
        print("\(run.operations) operations in \(seconds) s, all explained")
    }

    /// As one of the processes.
    private func work(_ process: Int) throws {
        Child.endWithParent()
        signal(SIGPIPE, SIG_IGN)
        var worker = HistoryWorker(
            directory: directories[process % directories.count], process: process, seed: seed ?? 0, plant: plant)
        try worker.run(from: 0, to: 1)
    }
}
