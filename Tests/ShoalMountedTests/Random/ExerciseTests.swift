import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// What `Scripts/soak` does for hours from new seeds. SHOAL_TEST_SEED takes any.
    @Suite("Random exercises", .serialized)
    struct ExerciseTests {
        /// The seeds are those with which data was found lost: 1001 on one mount (an emptied file that was made longer and
        /// shorter again), 2002 on two (what was buffered of a file that the other mount removed).
        /// Both at once, in directories of their own: one waits while the other has a processor. `Scripts/test` runs them
        /// beside all other tests.
        @Test("200,000 random operations do the same on a mount as on ext4, and as many on two mounts in turn")
        func trees() throws {
            let operations = 200_000
            let isDone = try LocalDisk.with { local in
                try Cluster.with(secondsMax: 2400) { cluster in
                    try check(chmod(cluster.root, 0o755), "chmod")
                    let runs = try [(1001, [cluster.a]), (2002, cluster.mounts)].map { seed, mounts in
                        let name = "mounts-\(mounts.count)"
                        for place in ["\(local)/\(name)", "\(cluster.a)/\(name)"] {
                            try check(mkdir(place, 0o777), "mkdir")
                            try check(chmod(place, 0o777), "chmod")
                        }
                        return try begin(
                            "trees", ["\(local)/\(name)"] + mounts.map { "\($0)/\(name)" },
                            seed: requestedSeed() ?? UInt64(seed), operations, "--whole-every", "1000")
                    }
                    for run in runs { run.judge(secondsMax: 2300) }
                }
            }
            if !isDone { print("no ext4 here: not run") }
        }

        @Test("Files have the bytes that a model says, on a mount and on two mounts in turn", arguments: [1, 2])
        func content(mounts: Int) throws {
            try Cluster.with(mounts: mounts, secondsMax: Scale.isFull ? 3600 : 300) { cluster in
                let seed = testSeed("shoal-exercise content, \(mounts) mounts")
                try begin("content", cluster.mounts, seed: seed, Scale.isFull ? 500_000 : 800)
                    .judge(secondsMax: Scale.isFull ? 3000 : 250)
            }
        }

        private struct Run {
            let command: Command
            let seed: UInt64
            let operations: Int

            func judge(secondsMax: Int) {
                let output = command.wait(secondsMax: secondsMax)
                // A run without this line ended early: nothing was shown.
                #expect(
                    output.isSuccess && output.out.contains("\(operations) operations, no difference"),
                    "seed \(seed): \(output.out.prefix(6000)) \(output.err.suffix(1000))")
            }
        }

        private func begin(
            _ what: String, _ directories: [String], seed: UInt64, _ operations: Int, _ options: String...
        ) throws -> Run {
            let words = [what] + directories + ["--seed", "\(seed)", "--operations", "\(operations)"] + options
            let command = try Command([Cluster.tool("shoal-exercise")] + words)
            return Run(command: command, seed: seed, operations: operations)
        }
    }
}
