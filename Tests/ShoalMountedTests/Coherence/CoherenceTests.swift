import Glibc
import Testing
import ShoalTestSupport

extension MountedTests {
    @Suite("Two mounts", .serialized)
    struct CoherenceTests {
        @Test(
            "What has returned on one mount is what a call that starts later sees on the other: 10,000 observations, none stale"
        )
        func nothingStale() throws {
            let seed = testSeed("nothingStale")
            try Cluster.with { cluster in
                var observer = Observer(mounts: [cluster.a, cluster.b], random: SeededGenerator(seed: seed))
                try observer.open()
                defer { observer.close() }
                while observer.observations < 10_000 { try observer.round() }
                #expect(observer.stale == [])
                print("\(observer.observations) observations")
            }
        }

        @Test("Eight processes on two mounts append lines to one file: none is lost, none torn")
        func appending() throws {
            try Cluster.with { cluster in
                let worker = """
                    import os, sys
                    file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
                    for number in range(int(sys.argv[3])):
                        line = f"{sys.argv[2]} {number} {'x' * (number * 37 % 300)} end\\n".encode()
                        assert os.write(file, line) == len(line)
                    os.close(file)
                    """
                let workers = try (0..<8).map { number in
                    try Command(["python3", "-c", worker, "\(cluster.mounts[number % 2])/log", "\(number)", "250"])
                }
                for worker in workers {
                    let output = worker.wait()
                    #expect(output.isSuccess, "\(output.err)")
                }
                for mount in cluster.mounts {
                    let lines = Files.text("\(mount)/log").split(separator: "\n")
                    #expect(lines.count == 2000)
                    for worker in 0..<8 {
                        let numbers = lines.filter { $0.hasPrefix("\(worker) ") && $0.hasSuffix(" end") }
                            .compactMap { Int($0.split(separator: " ")[1]) }
                        #expect(numbers == Array(0..<250), "of worker \(worker), in its order")
                    }
                }
            }
        }
    }
}
