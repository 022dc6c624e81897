import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// What the kernel shows of contents without asking the mount.
    @Suite("Pages that the kernel keeps", .serialized)
    struct PageCacheTests {
        private static let fileCount = 20
        private static let pageCount = 4

        /// Readers make the kernels keep pages, and have reads on their way at every moment.
        private static let spinner = """
            import os, random, sys
            files = [os.path.join(sys.argv[1], name) for name in os.listdir(sys.argv[1])]
            descriptors = [os.open(file, os.O_RDONLY) for file in files]
            while True:
                number = random.randrange(len(files))
                for round in range(200):
                    os.pread(descriptors[number], random.choice([100, 20000]), 4096 * random.randrange(4))
                    number = random.randrange(len(files))
                os.close(descriptors[number])
                descriptors[number] = os.open(files[number], os.O_RDONLY)
            """

        @Test("What is written on one mount is read on both at once, though their kernels had the pages: none stale")
        func nothingStale() throws {
            let seed = testSeed("kernel pages")
            try Cluster.with { cluster in
                let paths = (0..<PageCacheTests.fileCount).map { "d/\($0)" }
                try check(mkdir("\(cluster.a)/d", 0o755), "mkdir")
                let zeros = [UInt8](repeating: 0, count: 4096 * PageCacheTests.pageCount)
                for path in paths { try Files.write(zeros, to: "\(cluster.a)/\(path)") }
                for mount in cluster.mounts { try awaitKept(cluster, mount, paths.map { "\(mount)/\($0)" }) }
                let readers = try cluster.mounts.map { mount in try paths.map { try openToRead("\(mount)/\($0)") } }
                defer { for reader in readers.joined() { close(reader) } }
                let spinners = try (0..<3).map { number in
                    try Command(["python3", "-c", PageCacheTests.spinner, "\(cluster.mounts[number % 2])/d"])
                }
                defer { for spinner in spinners { kill(-spinner.pid, SIGKILL) } }
                var random = SeededGenerator(seed: seed)
                var stale: [String] = []
                for round in 1...1000 {
                    let (file, mount) = (
                        Int.random(in: paths.indices, using: &random), Int.random(in: 0...1, using: &random)
                    )
                    let page = Int.random(in: 0..<PageCacheTests.pageCount, using: &random)
                    try write(round, page, "\(cluster.mounts[mount])/\(paths[file])", keepsTime: round % 2 == 0)
                    for other in [1 - mount, mount] {
                        let shown = try number(readers[other][file], page)
                        if shown != round { stale.append("\(round) on mount \(mount): mount \(other) has \(shown)") }
                    }
                }
                #expect(stale.isEmpty, "SHOAL_TEST_SEED=\(seed): \(stale.prefix(5))")
                for spinner in spinners { kill(-spinner.pid, SIGKILL) }
                // They are kept once more: all of this was about pages.
                for mount in cluster.mounts { try awaitKept(cluster, mount, paths.map { "\(mount)/\($0)" }) }
            }
        }

        private func openToRead(_ path: String) throws -> CInt { try check(open(path, O_RDONLY | O_CLOEXEC), "open") }

        private func number(_ file: CInt, _ page: Int) throws -> Int {
            var number = 0
            try check(pread(file, &number, 8, off_t(4096 * page + 100)), "pread")
            return number
        }

        /// - Parameter keepsTime: the modify time is set back to what it was: it does not tell that something changed.
        private func write(_ number: Int, _ page: Int, _ path: String, keepsTime: Bool) throws {
            let file = try check(open(path, O_WRONLY | O_CLOEXEC), "open")
            defer { close(file) }
            var status = stat()
            try check(fstat(file, &status), "fstat")
            try withUnsafeBytes(of: number) {
                _ = try check(pwrite(file, $0.baseAddress!, 8, off_t(4096 * page + 100)), "pwrite")
            }
            if keepsTime { try check(futimens(file, [status.st_atim, status.st_mtim]), "futimens") }
        }

        /// Waits until files are read without asking the mount for anything.
        private func awaitKept(_ cluster: Cluster, _ mount: String, _ paths: [String]) throws {
            let process = try cluster.state().mounts.first { $0.path == mount }?.process
            var requests = Int.max
            let deadline = Clock.seconds + 30
            while requests > 200, Clock.seconds < deadline {
                let files = try paths.map(openToRead)
                defer { for file in files { close(file) } }
                let before = try cluster.requests(of: process)
                for round in 0..<4000 {
                    _ = try number(files[round % files.count], round / files.count % PageCacheTests.pageCount)
                }
                requests = try cluster.requests(of: process) - before
            }
            #expect(requests <= 200, "\(requests) requests to \(mount) for 4,000 reads")
        }

        @Test("A mount whose process is stopped does not go on showing pages once another mount may write")
        func stopped() throws {
            try Cluster.with { cluster in
                try Files.write([UInt8](repeating: 0, count: 16384), to: "\(cluster.a)/f")
                try awaitKept(cluster, cluster.b, ["\(cluster.b)/f"])
                let reader = """
                    import os, sys
                    file = os.open(sys.argv[1], os.O_RDONLY)
                    os.pread(file, 1000, 0)
                    open(sys.argv[2] + "/ready", "w").close()
                    while not os.path.exists(sys.argv[2] + "/go"): pass
                    print(os.pread(file, 1, 0)[0])
                    """
                let process = try #require(try cluster.state().mounts[1].process)
                let command = try Command(["python3", "-c", reader, "\(cluster.b)/f", "\(cluster.root)/local"])
                while access("\(cluster.root)/local/ready", F_OK) != 0, !command.hasEnded { sched_yield() }
                try check(kill(process.pid, SIGSTOP), "kill")
                defer { kill(process.pid, SIGCONT) }
                // Waits for the end of the other mount's session.
                let file = try check(open("\(cluster.a)/f", O_WRONLY | O_CLOEXEC), "open")
                defer { close(file) }
                try check(pwrite(file, [1], 1, 0), "pwrite")
                try Files.write([], to: "\(cluster.root)/local/go")
                // Time enough to show what it must not show.
                let deadline = Clock.seconds + 1
                while Clock.seconds < deadline, !command.hasEnded { sched_yield() }
                #expect(!command.hasEnded, "it has read the page that the kernel had")
                try check(kill(process.pid, SIGCONT), "kill")
                let output = command.wait()
                #expect(output.out == "1\n", "\(output)")
            }
        }
    }
}
