import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// What `Scripts/soak` does for hours from new seeds. SHOAL_TEST_SEED takes any.
    @Suite("Random exercises", .serialized)
    struct ExerciseTests {
        /// The seeds are those with which data was found lost: 1001 on one mount (an emptied file that was made longer and
        /// shorter again), 2002 on two (what was buffered of a file that the other mount removed).
        @Test("Random operations do the same on a mount, on two mounts in turn, and on ext4", arguments: [1, 2])
        func trees(mounts: Int) throws {
            let isDone = try LocalDisk.with { local in
                try Cluster.with(mounts: mounts, secondsMax: Scale.isFull ? 3600 : 900) { cluster in
                    try check(chmod(cluster.root, 0o755), "chmod")
                    try exercise(
                        "trees", [local] + cluster.mounts, seed: requestedSeed() ?? (mounts == 1 ? 1001 : 2002),
                        Scale.isFull ? 200_000 : 30_000, "--whole-every", "1000")
                }
            }
            if !isDone { print("no ext4 here: not run") }
        }

        @Test("Files have the bytes that a model says, on a mount and on two mounts in turn", arguments: [1, 2])
        func content(mounts: Int) throws {
            try Cluster.with(mounts: mounts, secondsMax: Scale.isFull ? 3600 : 300) { cluster in
                let seed = testSeed("shoal-exercise content, \(mounts) mounts")
                try exercise("content", cluster.mounts, seed: seed, Scale.isFull ? 500_000 : 800)
            }
        }

        private func exercise(
            _ what: String, _ directories: [String], seed: UInt64, _ operations: Int, _ options: String...
        ) throws {
            let words = [what] + directories + ["--seed", "\(seed)", "--operations", "\(operations)"] + options
            let output = try Command([Cluster.tool("shoal-exercise")] + words)
                .wait(secondsMax: Scale.isFull ? 3000 : 800)
            // A run without this line ended early: nothing was shown.
            #expect(
                output.isSuccess && output.out.contains("\(operations) operations, no difference"),
                "seed \(seed): \(output.out.prefix(6000)) \(output.err.suffix(1000))")
        }
    }
}
