import Glibc
import ShoalTestSupport
import Testing

extension MountedTests {
    /// What the kernel shows of files without asking the mount.
    @Suite("Attributes that the kernel keeps", .serialized)
    struct KernelAttributeTests {
        /// Processes that look at all files all the time make the kernels keep attributes, and have answers on their way
        /// at every moment.
        private static let spinner = """
            import os, random, sys
            files = [os.path.join(sys.argv[1], name) for name in os.listdir(sys.argv[1])]
            descriptors = [os.open(file, os.O_RDONLY) for file in files]
            while True:
                random.shuffle(files)
                for file, descriptor in zip(files, descriptors):
                    os.stat(file)
                    os.fstat(descriptor)
            """

        @Test("A change on one mount is shown on both at once, though their kernels had the attributes: none stale")
        func nothingStale() throws {
            let seed = testSeed("kernel attributes")
            try Cluster.with { cluster in
                let count = 300
                try check(mkdir("\(cluster.a)/d", 0o755), "mkdir")
                for number in 0..<count { try Files.write([1], to: "\(cluster.a)/d/\(number)") }
                let spinners = try (0..<3).map { number in
                    try Command(["python3", "-c", KernelAttributeTests.spinner, "\(cluster.mounts[number % 2])/d"])
                }
                defer { for spinner in spinners { kill(-spinner.pid, SIGKILL) } }
                var random = SeededGenerator(seed: seed)
                var stale: [String] = []
                for round in 0..<8 * count {
                    let name = "d/\(Int.random(in: 0..<count, using: &random))"
                    let order = cluster.mounts.shuffled(using: &random)
                    let what = try change("\(order[0])/\(name)", round)
                    for mount in [order[1], order[0]] {
                        var status = stat()
                        try check(stat("\(mount)/\(name)", &status), "stat")
                        if !what.isShown(in: status) {
                            stale.append("\(what) of \(name), done on \(order[0]), on \(mount)")
                        }
                    }
                }
                #expect(stale.isEmpty, "SHOAL_TEST_SEED=\(seed): \(stale.prefix(5))")
            }
        }

        private enum Change {
            case mode(mode_t)
            case size(off_t)
            case modifyTime(Int)

            func isShown(in status: stat) -> Bool {
                switch self {
                case .mode(let mode): status.st_mode & 0o777 == mode
                case .size(let size): status.st_size == size
                case .modifyTime(let seconds): status.st_mtim.tv_sec == seconds
                }
            }
        }

        /// A value that the file has not had before.
        private func change(_ path: String, _ round: Int) throws -> Change {
            switch round % 4 {
            case 0:
                let mode = mode_t(0o600 | round / 4 % 64)
                try check(chmod(path, mode), "chmod")
                return .mode(mode)
            case 1:
                try check(truncate(path, off_t(round + 2)), "truncate")
                return .size(off_t(round + 2))
            case 2:
                let file = try check(open(path, O_WRONLY | O_CLOEXEC), "open")
                defer { close(file) }
                try check(pwrite(file, "x", 1, off_t(10_000 + round)), "pwrite")
                return .size(off_t(10_001 + round))
            default:
                let time = timespec(tv_sec: 1_000_000 + round, tv_nsec: 0)
                try check(utimensat(AT_FDCWD, path, [time, time], 0), "utimensat")
                return .modifyTime(1_000_000 + round)
            }
        }

        @Test("fstat of a file that nobody changes asks the mount nothing")
        func requests() throws {
            try Cluster.with(mounts: 1) { cluster in
                try Files.write([1], to: "\(cluster.a)/f")
                let file = try check(open("\(cluster.a)/f", O_RDONLY | O_CLOEXEC), "open")
                defer { close(file) }
                let process = try cluster.state().mounts[0].process
                // What has been written just now is not kept.
                var requests = Int.max
                let deadline = Clock.seconds + 20
                while requests > 200, Clock.seconds < deadline {
                    let before = try cluster.requests(of: process)
                    for _ in 0..<2000 {
                        var status = stat()
                        try check(fstat(file, &status), "fstat")
                    }
                    requests = try cluster.requests(of: process) - before
                }
                #expect(requests <= 200, "\(requests) reads for 2,000 calls of fstat")
            }
        }
    }
}
