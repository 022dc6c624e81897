import Glibc
import Testing
import ShoalTestSupport

extension MountedTests {
    /// `shoal-posix`: the suite that needs only a mountpoint.
    @Suite("POSIX suite", .serialized)
    struct PosixTests {
        @Test("Every law of the suite holds on a local ext4: its expectations are the kernel's own")
        func localDisk() throws {
            let isDone = try LocalDisk.with { directory in
                let result = try PosixRun([directory])
                #expect(result.failures == [])
                #expect(result.passed >= 600, "\(result.summary)")
            }
            if !isDone { print("no ext4 here: not run") }
        }

        @Test("Every law of the suite holds on one mount")
        func oneMount() throws {
            try Cluster.with(mounts: 1) { cluster in
                try check(chmod(cluster.root, 0o755), "chmod")
                let result = try PosixRun([cluster.a])
                #expect(result.failures == [])
            }
        }

        @Test(
            "Every law of the suite holds when one mount acts and the other observes, but for what is different on purpose"
        )
        func twoMounts() throws {
            try Cluster.with(mounts: 2) { cluster in
                try check(chmod(cluster.root, 0o755), "chmod")
                let result = try PosixRun([cluster.a, cluster.b])
                #expect(result.failures.filter { !KnownDifferences.covers($0) } == [])
            }
        }
    }
}

/// One run of `shoal-posix`, and what it said.
private struct PosixRun {
    var failures: [String] = []
    var passed = 0
    var summary = ""

    init(_ directories: [String]) throws {
        let output = try Command([Cluster.built("shoal-posix")] + directories).wait(secondsMax: 240)
        for line in output.out.split(separator: "\n") {
            if line.hasPrefix("FAIL ") { failures.append(String(line.dropFirst(5))) }
            if line.contains(" passed, "), let count = Int(line.prefix { $0 != " " }) {
                (passed, summary) = (count, String(line))
            }
        }
        print(summary)
        // A run without a summary ended early: nothing was shown.
        try #require(!summary.isEmpty, "\(output.err) \(output.out.suffix(1000))")
    }
}
