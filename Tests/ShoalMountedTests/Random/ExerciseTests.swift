import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// What `Scripts/soak` does for hours, from a new seed each time. SHOAL_TEST_SEED repeats one.
    @Suite("Random exercises", .serialized)
    struct ExerciseTests {
        @Test("Random operations do the same on a mount, on two mounts in turn, and on ext4", arguments: [1, 2])
        func trees(mounts: Int) throws {
            let isDone = try LocalDisk.with { local in
                try Cluster.with(mounts: mounts, secondsMax: 1500) { cluster in
                    try check(chmod(cluster.root, 0o755), "chmod")
                    try exercise(
                        "trees", [local] + cluster.mounts, Scale.isFull ? 200_000 : 100_000, "--whole-every", "1000")
                }
            }
            if !isDone { print("no ext4 here: not run") }
        }

        @Test("Files have the bytes that a model says, on a mount and on two mounts in turn", arguments: [1, 2])
        func content(mounts: Int) throws {
            try Cluster.with(mounts: mounts, secondsMax: Scale.isFull ? 3600 : 300) { cluster in
                try exercise("content", cluster.mounts, Scale.isFull ? 500_000 : 800)
            }
        }

        private func exercise(
            _ what: String, _ directories: [String], _ operations: Int, _ options: String...
        ) throws {
            let seed = testSeed("shoal-exercise \(what), \(directories.count) directories")
            let words = [what] + directories + ["--seed", "\(seed)", "--operations", "\(operations)"] + options
            let output = try Command([Cluster.tool("shoal-exercise")] + words)
                .wait(secondsMax: Scale.isFull ? 3000 : 1400)
            // A run without this line ended early: nothing was shown.
            #expect(
                output.isSuccess && output.out.contains("\(operations) operations, no difference"),
                "seed \(seed): \(output.out.prefix(6000)) \(output.err.suffix(1000))")
        }
    }
}
