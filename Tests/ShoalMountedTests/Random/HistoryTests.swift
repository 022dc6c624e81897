import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// `shoal-exercise histories`: what many processes on several mounts saw, judged by the checkers of the simulation.
    @Suite("Histories of several mounts", .serialized)
    struct HistoryTests {
        private func record(
            _ cluster: Cluster, _ name: String, _ operations: Int, seed: UInt64, _ options: String...
        ) throws -> Command.Output {
            try check(mkdir("\(cluster.a)/\(name)", 0o755), "mkdir")
            let words = ["histories"] + cluster.mounts.map { "\($0)/\(name)" }
            let numbers = ["--operations", "\(operations)", "--seed", "\(seed)"]
            return try Command([Cluster.tool("shoal-exercise")] + words + numbers + options).wait(secondsMax: 500)
        }

        /// A run without the last line ended early: nothing was shown.
        private func expectExplained(_ output: Command.Output, _ seed: UInt64) {
            #expect(
                output.isSuccess && output.out.contains(", all explained"),
                "seed \(seed): \(output.out.prefix(6000)) \(output.err.suffix(1000))")
            print(output.out)
        }

        @Test("Blocks, sizes, logs, counters, names and replaced files of three mounts are linearizable")
        func calm() throws {
            try Cluster.with(mounts: 3, secondsMax: 600) { cluster in
                let seed = testSeed("histories")
                let output = try record(cluster, "calm", Scale.isFull ? 500_000 : 12_000, seed: seed)
                expectExplained(output, seed)
            }
        }

        @Test("They are so while nodes and the metadata server are killed and started again")
        func kills() throws {
            try Cluster.with(mounts: 3, secondsMax: 600) { cluster in
                let seed = testSeed("histories with kills")
                let output = try record(
                    cluster, "kills", Scale.isFull ? 500_000 : 8000, seed: seed, "--kill", "all", "--cluster",
                    cluster.directory)
                expectExplained(output, seed)
                #expect(output.out.contains("meta ") && output.out.contains("node"), "both were killed")
            }
        }

        @Test("What a process read before, a write that it left out and a counter without a lock are found")
        func planted() throws {
            try Cluster.with(secondsMax: 300) { cluster in
                let seed = testSeed("planted histories")
                for (fault, complaints) in [
                    ("stale", ["no order explains what was seen"]),
                    ("lost", ["no order explains what was seen", "an append is lost"]),
                    ("unlocked", ["no order explains what was seen"]),
                ] {
                    let output = try record(cluster, fault, 100_000, seed: seed, "--plant", fault)
                    #expect(output.status == 1, "\(fault), seed \(seed): \(output.out)")
                    #expect(complaints.contains { output.out.contains($0) }, "\(fault), seed \(seed): \(output.out)")
                    #expect(output.out.contains("--seed \(seed)"), "the command that repeats it")
                }
            }
        }
    }
}
