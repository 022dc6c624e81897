import ArgumentParser
import Dispatch
import Glibc
import Logging
import ShoalClient
import ShoalSimulation
import Synchronization

@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shoal-simulate",
        abstract: "Runs the production cores in virtual time, with faults, and checks what was seen.",
        discussion: """
            Each seed is a whole run: a metadata server, three storage nodes and two to four mounts on a simulated network, clock \
            and disks, random operations and random faults. It prints what cannot be explained: a block, a size, a log or a directory \
            that is not linearizable, two holders of a write lease, synced bytes that are lost, an operation without an end, messages \
            without a cause. A seed that has failed fails again.

            Exits with 0 if all is well, with 1 if something was found.
            """)

    @Option(help: "The first seed.") var seed: UInt64 = 1
    @Option(help: "So many seeds, one after the other.") var count: UInt64 = 1
    @Option(help: "So many at the same time.") var jobs = 1
    @Option(
        help:
            "A fault to plant, to see whether it is found: \(PlantedFault.allCases.map(\.rawValue).joined(separator: ", "))."
    )
    var plant: PlantedFault?
    @Option(help: "Log what the cores say, from this level on: critical, error, warning, info, debug, trace.") var log =
        Logger.Level.critical
    @Flag(help: "Stop at the first seed that fails.") var first = false
    @Flag(help: "Say something of every seed.") var verbose = false

    func validate() throws {
        guard count > 0, jobs > 0, jobs <= 256 else {
            throw ValidationError("--count and --jobs begin at 1, --jobs ends at 256")
        }
        guard seed <= UInt64.max - count else { throw ValidationError("there are no seeds past \(UInt64.max)") }
    }

    func run() throws {
        // The order of sets and dictionaries is a part of what a seed decides.
        if getenv("SWIFT_DETERMINISTIC_HASHING") == nil {
            setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
            var arguments = CommandLine.arguments.map { strdup($0) } + [nil]
            execv("/proc/self/exe", &arguments)
            throw ValidationError("cannot start again: \(String(cString: strerror(errno)))")
        }
        let total = Mutex(Total(next: seed))
        DispatchQueue.concurrentPerform(iterations: jobs) { _ in work(total) }
        let sum = total.withLock { $0 }
        print(
            "\(sum.seeds) seeds, \(sum.operations) operations, \(Int(sum.seconds)) virtual seconds, "
                + "\(sum.failed.count) failed, \(sum.undecided) histories not decided")
        if verbose { print("  files written in parts in \(sum.sharing) of them") }
        for (name, count) in sum.faults.sorted(by: { $0.key < $1.key }) where verbose { print("  \(name): \(count)") }
        if !sum.failed.isEmpty {
            print("failed: \(sum.failed.sorted().map(String.init).joined(separator: " "))")
            throw ExitCode(1)
        }
    }

    private struct Total {
        var next: UInt64
        var seeds = 0
        var operations = 0
        var seconds = 0.0
        var undecided = 0
        var sharing = 0
        var failed: [UInt64] = []
        var faults: [String: Int] = [:]
    }

    private func work(_ total: borrowing Mutex<Total>) {
        while true {
            let next: UInt64? = total.withLock { total in
                guard total.next < seed + count, !first || total.failed.isEmpty else { return nil }
                total.next += 1
                return total.next - 1
            }
            guard let next else { return }
            let outcome = simulate(next, plant, logLevel: log)
            total.withLock {
                $0.seeds += 1
                $0.operations += outcome.operations
                $0.seconds += outcome.seconds
                $0.undecided += outcome.undecided
                $0.sharing += outcome.sharedFiles > 0 ? 1 : 0
                $0.faults.merge(outcome.faults, uniquingKeysWith: +)
                if !outcome.complaints.isEmpty { $0.failed.append(next) }
                for complaint in outcome.complaints.prefix(3) { print("seed \(next): \(complaint)") }
                if verbose {
                    print(
                        "seed \(next): \(outcome.operations) operations, \(Int(outcome.seconds)) s, digest \(outcome.digest)"
                    )
                }
            }
        }
    }
}

extension PlantedFault: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}
