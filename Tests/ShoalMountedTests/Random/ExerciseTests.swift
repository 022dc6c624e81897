import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// A share of what `Scripts/soak` does for hours, from a new seed each time. SHOAL_TEST_SEED repeats one.
    @Suite("Random exercises", .serialized)
    struct ExerciseTests {
        @Test("Random operations do the same on a mount, on two mounts in turn, and on ext4", arguments: [1, 2])
        func trees(mounts: Int) throws {
            let isDone = try LocalDisk.with { local in
                try Cluster.with(mounts: mounts, secondsMax: Scale.isFull ? 3600 : 300) { cluster in
                    try check(chmod(cluster.root, 0o755), "chmod")
                    let operations = Scale.isFull ? 200_000 : 3000
                    try exercise("trees", [local] + cluster.mounts, operations)
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

        private func exercise(_ what: String, _ directories: [String], _ operations: Int) throws {
            let seed = testSeed("shoal-exercise \(what), \(directories.count) directories")
            let words = [what] + directories + ["--seed", "\(seed)", "--operations", "\(operations)"]
            let output = try Command([Cluster.built("shoal-exercise")] + words)
                .wait(secondsMax: Scale.isFull ? 3000 : 200)
            // A run without this line ended early: nothing was shown.
            #expect(
                output.isSuccess && output.out.contains("\(operations) operations, no difference"),
                "seed \(seed): \(output.out.prefix(6000)) \(output.err.suffix(1000))")
        }
    }
}
