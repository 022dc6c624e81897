import Glibc
import Testing
import ShoalTestSupport

extension MountedTests {
    @Suite("Bit rot", .serialized)
    struct CorruptionTests {
        @Test("A flipped byte in a chunk file is served right from the other replica, logged, and repaired")
        func flippedByte() throws {
            try Cluster.with { cluster in
                // What a node hands on while the cluster finds its balance is deleted, not repaired.
                try cluster.waitForStatus("the partitions are shared out") { $0.isWhole && $0.isBalanced }
                let contents = (0..<16).map { file in
                    (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* (file + 3) &+ $0 >> 7) }
                }
                for (index, bytes) in contents.enumerated() { try Files.write(bytes, to: "\(cluster.a)/f\(index)") }
                // On the nodes, all of it: what is written back later would mend the flipped byte.
                try cluster.bash("sync $A/f*")
                try cluster.remount(cluster.b)
                // One byte of every chunk file of one node; readers choose among replicas, so some meet it.
                let paths = try cluster.bash("find $DIR/node1/chunks/data -type f -size +100k").split(separator: "\n")
                try #require(!paths.isEmpty)
                let before = try paths.map { try Files.bytes(String($0)) }
                for path in paths { try flip(byte: 123_456, of: String(path)) }
                let address = try cluster.state().nodes[0].address
                let deadline = Clock.seconds + 90
                var repaired: UInt64 = 0
                // Each fresh mount reads from replicas of its own choice, so sooner or later each bad one is met.
                while repaired < UInt64(paths.count), Clock.seconds < deadline {
                    try cluster.remount(cluster.b)
                    for (index, bytes) in contents.enumerated() {
                        #expect(try Files.bytes("\(cluster.b)/f\(index)") == bytes, "of file \(index)")
                    }
                    let node = try #require(try cluster.status().nodes.first { $0.address == address })
                    repaired = node.repairedChunks
                }
                #expect(repaired == UInt64(paths.count))
                for (path, bytes) in zip(paths, before) { #expect(try Files.bytes(String(path)) == bytes) }
                #expect(Files.text("\(cluster.directory)/logs/node1.log").contains("corrupt"))
            }
        }

        private func flip(byte offset: Int, of path: String) throws {
            let file = try check(open(path, O_RDWR | O_CLOEXEC), "open \(path)")
            defer { close(file) }
            var byte: UInt8 = 0
            try check(pread(file, &byte, 1, offset), "pread")
            byte ^= 0x10
            try check(pwrite(file, &byte, 1, offset), "pwrite")
        }
    }
}
