import Glibc
import Testing

extension MountedTests {
    @Suite("Bit rot", .serialized)
    struct CorruptionTests {
        @Test("A flipped byte in a chunk file is served right from the other replica, logged, and repaired")
        func flippedByte() throws {
            try Cluster.with { cluster in
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
                for (index, bytes) in contents.enumerated() {
                    #expect(try Files.bytes("\(cluster.b)/f\(index)") == bytes, "of file \(index)")
                }
                let address = try cluster.state().nodes[0].address
                try cluster.waitForStatus("the chunks are repaired") { status in
                    let node = try #require(status.nodes.first { $0.address == address })
                    return node.corruptChunks > 0 && node.repairedChunks == UInt64(paths.count)
                }
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
