import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// What the kernel shows of names without asking the mount.
    @Suite("Names that the kernel keeps", .serialized)
    struct KernelNameTests {
        /// Processes that look up all names all the time, present and absent ones, make the kernels keep them, and have
        /// answers on their way at every moment.
        private static let spinner = """
            import os, random, sys
            names = [sys.argv[1] + str(number) for number in range(int(sys.argv[2]))]
            while True:
                random.shuffle(names)
                for name in names:
                    try:
                        os.stat(name)
                    except FileNotFoundError:
                        pass
            """

        @Test(
            "A name that is made, removed or renamed on one mount is so on both at once, though their kernels knew it")
        func nothingStale() throws {
            let seed = testSeed("kernel names")
            try Cluster.with { cluster in
                let count = 200
                var inodes = [Int: ino_t]()
                try check(mkdir("\(cluster.a)/d", 0o755), "mkdir")
                for number in 0..<count / 2 {
                    try Files.write([1], to: "\(cluster.a)/d/\(number)")
                    inodes[number] = try inode("\(cluster.a)/d/\(number)")
                }
                let spinners = try (0..<3).map { number in
                    try Command(
                        ["python3", "-c", KernelNameTests.spinner, "\(cluster.mounts[number % 2])/d/", "\(count)"])
                }
                defer { for spinner in spinners { kill(-spinner.pid, SIGKILL) } }
                var random = SeededGenerator(seed: seed)
                var stale: [String] = []
                for round in 0..<200 {
                    let order = cluster.mounts.shuffled(using: &random)
                    let (old, new) = (
                        Int.random(in: 0..<count, using: &random), Int.random(in: 0..<count, using: &random)
                    )
                    try change(old, new, round % 3 == 0, in: "\(order[0])/d", &inodes)
                    for mount in [order[1], order[0]] {
                        for number in [old, new] {
                            let shown = try inode("\(mount)/d/\(number)")
                            if shown != inodes[number] {
                                stale.append("\(number) on \(mount), changed on \(order[0]) (\(round))")
                            }
                        }
                    }
                    // Names that were not shown are not taken back either.
                    if round % 40 == 0 { try awaitShown(cluster, (0..<count).map { "d/\($0)" }) }
                }
                #expect(stale.isEmpty, "SHOAL_TEST_SEED=\(seed): \(stale.prefix(5))")
            }
        }

        /// Makes the name `old` if it is absent; else renames it to `new` or removes it.
        private func change(
            _ old: Int, _ new: Int, _ renames: Bool, in directory: String, _ inodes: inout [Int: ino_t]
        ) throws {
            let path = "\(directory)/\(old)"
            if inodes[old] == nil {
                try Files.write([1], to: path)
                inodes[old] = try inode(path)
            } else if renames {
                try check(rename(path, "\(directory)/\(new)"), "rename")
                let moved = inodes.removeValue(forKey: old)
                inodes[new] = moved
            } else {
                try check(unlink(path), "unlink")
                inodes[old] = nil
            }
        }

        /// nil if there is no such name.
        private func inode(_ path: String) throws -> ino_t? {
            var status = stat()
            if lstat(path, &status) == 0 { return status.st_ino }
            try #require(errno == ENOENT, "lstat \(path): \(errno)")
            return nil
        }

        /// Waits until paths, present or absent, are looked up through each mount without asking it.
        private func awaitShown(_ cluster: Cluster, _ paths: [String]) throws {
            let processes = try cluster.state().mounts.map(\.process)
            for (mount, process) in zip(cluster.mounts, processes) {
                var requests = Int.max
                let deadline = Clock.seconds + 30
                while requests > 200, Clock.seconds < deadline {
                    let before = try cluster.requests(of: process)
                    for round in 0..<2000 { _ = try inode("\(mount)/\(paths[round % paths.count])") }
                    requests = try cluster.requests(of: process) - before
                }
                #expect(requests <= 200, "\(requests) reads of \(mount) for 2,000 calls of lstat")
            }
        }

        @Test("A path that nobody changes, or that nobody makes, is looked up without asking the mount")
        func requests() throws {
            try Cluster.with(mounts: 1) { cluster in
                try check(mkdir("\(cluster.a)/d", 0o755), "mkdir")
                try check(mkdir("\(cluster.a)/d/e", 0o755), "mkdir")
                try Files.write([1], to: "\(cluster.a)/d/e/f")
                try awaitShown(cluster, ["d/e/f", "d/e/absent"])
            }
        }

        /// One process of each mount makes and removes the same few names; the other's kernel knows them, and both hold
        /// their directory's lock while they wait for each other.
        private static let contender = """
            import os, sys, time
            directory, rounds = sys.argv[1], int(sys.argv[2])
            longest = 0
            for number in range(rounds):
                name = os.path.join(directory, f"lock{number % 3}")
                start = time.monotonic()
                try:
                    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                    os.rename(name, name + "-mine")
                    os.unlink(name + "-mine")
                except (FileExistsError, FileNotFoundError):
                    pass
                longest = max(longest, time.monotonic() - start)
            print(longest)
            """

        @Test("Names made, renamed and removed on two mounts at once, which both kernels know, hold nobody up for long")
        func contention() throws {
            try Cluster.with { cluster in
                try check(mkdir("\(cluster.a)/d", 0o755), "mkdir")
                // Both kernels are given the absent names, for as long as it goes.
                let spinners = try cluster.mounts.map {
                    try Command(["python3", "-c", KernelNameTests.spinner, "\($0)/d/lock", "3"])
                }
                defer { for spinner in spinners { kill(-spinner.pid, SIGKILL) } }
                try awaitShown(cluster, (0..<3).map { "d/lock\($0)" })
                let start = Clock.seconds
                let contenders = try cluster.mounts.map {
                    try Command(["python3", "-c", KernelNameTests.contender, "\($0)/d", "400"])
                }
                for contender in contenders {
                    let output = contender.wait()
                    #expect(output.isSuccess, "\(output.err)")
                    let longest = try #require(Double(output.out.filter { $0 != "\n" }))
                    #expect(longest < 8, "one round took \(longest) s")
                }
                print("contention on names: \(Clock.seconds - start) s")
            }
        }
    }
}
