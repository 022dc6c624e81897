import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// What the kernel shows of a directory's listing without asking the mount.
    @Suite("Listings that the kernel keeps", .serialized)
    struct KernelListingTests {
        private static let spinner = """
            import os, random, sys
            while True:
                os.listdir(sys.argv[1] + "/" + str(random.randrange(4)))
            """

        @Test("A name that is made, renamed or removed on one mount is listed so on both at once: none stale")
        func nothingStale() throws {
            let seed = testSeed("kernel listings")
            try Cluster.with { cluster in
                let directories = (0..<4).map { "\($0)" }
                var names = [Set<String>](repeating: [], count: 4)
                for directory in directories { try check(mkdir("\(cluster.a)/\(directory)", 0o755), "mkdir") }
                for number in 0..<400 {
                    try Files.write([], to: "\(cluster.a)/\(number % 4)/\(number)")
                    names[number % 4].insert("\(number)")
                }
                for mount in cluster.mounts {
                    for directory in directories { try awaitKept(cluster, mount, directory) }
                }
                // With access times, a directory that has changed is listed anew for the access to be seen.
                try cluster.run(["umount", cluster.b])
                try cluster.run(["mount", try cluster.state().meta.address, cluster.b, "-o", "noatime"])
                let spinners = try (0..<3).map { number in
                    try Command(["python3", "-c", KernelListingTests.spinner, cluster.mounts[number % 2]])
                }
                defer { for spinner in spinners { kill(-spinner.pid, SIGKILL) } }
                let rewound = try cluster.mounts.map { try #require(opendir("\($0)/0")) }
                defer { for directory in rewound { closedir(directory) } }
                var random = SeededGenerator(seed: seed)
                var stale: [String] = []
                for round in 0..<400 {
                    let which = Int.random(in: 0..<4, using: &random)
                    let order = cluster.mounts.indices.shuffled(using: &random)
                    try change("\(cluster.mounts[order[0]])/\(which)", &names[which], round, &random)
                    for mount in [order[1], order[0]] {
                        let shown = try list("\(cluster.mounts[mount])/\(which)")
                        let again = which == 0 ? read(rewound[mount]) : shown
                        if shown != names[which] || again != names[which] {
                            stale.append("\(which) on mount \(mount), changed on \(order[0]) (\(round))")
                        }
                    }
                }
                #expect(stale.isEmpty, "SHOAL_TEST_SEED=\(seed): \(stale.prefix(5))")
            }
        }

        /// Changes a name; every other time the directory's modify time does not tell.
        private func change(
            _ directory: String, _ names: inout Set<String>, _ round: Int, _ random: inout SeededGenerator
        ) throws {
            var status = stat()
            try check(stat(directory, &status), "stat")
            let old = try #require(names.sorted().randomElement(using: &random))
            switch round % 3 {
            case 0:
                try Files.write([], to: "\(directory)/made-\(round)")
                names.insert("made-\(round)")
            case 1:
                try check(unlink("\(directory)/\(old)"), "unlink")
                names.remove(old)
            default:
                try check(rename("\(directory)/\(old)", "\(directory)/renamed-\(round)"), "rename")
                names.remove(old)
                names.insert("renamed-\(round)")
            }
            if round % 2 == 0 {
                try check(utimensat(AT_FDCWD, directory, [status.st_atim, status.st_mtim], 0), "utimensat")
            }
        }

        private func list(_ path: String) throws -> Set<String> {
            let directory = try #require(opendir(path))
            defer { closedir(directory) }
            return read(directory)
        }

        private func read(_ directory: OpaquePointer) -> Set<String> {
            var names: Set<String> = []
            rewinddir(directory)
            while let entry = readdir(directory) {
                names.insert(
                    withUnsafeBytes(of: &entry.pointee.d_name) {
                        String(cString: $0.bindMemory(to: CChar.self).baseAddress!)
                    })
            }
            return names.subtracting([".", ".."])
        }

        /// Waits until the directory is listed with no more requests than those to open and close it.
        private func awaitKept(_ cluster: Cluster, _ mount: String, _ directory: String) throws {
            let process = try cluster.state().mounts.first { $0.path == mount }?.process
            var requests = Int.max
            let deadline = Clock.seconds + 30
            while requests > 130, Clock.seconds < deadline {
                let before = try cluster.requests(of: process)
                for _ in 0..<50 { _ = try list("\(mount)/\(directory)") }
                requests = try cluster.requests(of: process) - before
            }
            #expect(requests <= 130, "\(requests) requests to \(mount) for 50 listings of \(directory)")
        }
    }
}
