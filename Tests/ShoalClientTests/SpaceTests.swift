import ShoalSimulation
import ShoalTypes
import Testing

@testable import ShoalClient

@Suite("The space that files take")
struct SpaceTests {
    private func allocated(_ cluster: Cluster, _ client: Client, _ id: InodeID) throws -> UInt64 {
        try cluster.wait { client.attributes(of: id, completion: $0) }.allocatedBytes
    }

    /// What the nodes hold of a file, on one replica.
    private func stored(_ cluster: Cluster, _ client: Client, _ id: InodeID) throws -> UInt64 {
        let data = try cluster.wait { client.attributes(of: id, completion: $0) }.data
        var blocks: [ChunkID: Int] = [:]
        for node in cluster.nodes {
            // Those that are no replica any more may have kept what they had.
            for (chunk, content) in node.chunks
            where chunk.data == data && node.map[node.map.partition(of: chunk)].state(of: node.id) == .inSync {
                blocks[chunk] = content.blocks.count
            }
        }
        return UInt64(blocks.values.reduce(0, +) * Geometry.blockBytes)
    }

    private func allocate(
        _ cluster: Cluster, _ client: Client, _ id: InodeID, _ kind: Client.Allocation, _ offset: UInt64,
        _ length: UInt64, keepsSize: Bool = true
    ) throws {
        try cluster.wait {
            client.allocate(id, kind, offset: offset, length: length, keepsSize: keepsSize, completion: $0)
        }
    }

    private func seek(
        _ cluster: Cluster, _ client: Client, _ id: InodeID, _ offset: UInt64, _ target: Client.SeekTarget
    )
        throws -> UInt64?
    {
        do {
            return try cluster.wait { client.seek(id, from: offset, to: target, completion: $0) }
        } catch FileError.noSuchAddress {
            return nil
        }
    }

    @Test("A file takes the blocks that were written, on whichever mount, and a hole takes none")
    func sparse() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(5 << 40), pattern(10_000, 1))
        #expect(try allocated(cluster, a, file) == 12_288)
        #expect(try allocated(cluster, b, file) == 12_288)
        try cluster.write(b, file, .at(1 << 40), pattern(4096, 2))
        try cluster.write(b, file, .at(1 << 40), pattern(4096, 3))
        try cluster.sync(b, file)
        #expect(try allocated(cluster, b, file) == 16_384)
        try cluster.write(a, file, .at(5 << 40), pattern(20_000, 4))
        try cluster.sync(a, file)
        #expect(try allocated(cluster, b, file) == 24_576)
        #expect(try cluster.size(b, file) == 5 << 40 + 20_000)
        #expect(try cluster.read(b, file, 1 << 40, 4096) == pattern(4096, 3))
        // Cutting it asks for the chunks that exist, not for a million others.
        try cluster.truncate(a, file, to: 1 << 40 + 100)
        #expect(try allocated(cluster, b, file) == 4096)
        #expect(try stored(cluster, b, file) == 4096)
        try cluster.truncate(b, file, to: 0)
        #expect(try allocated(cluster, a, file) == 0)
    }

    @Test("Data and holes are found where they are")
    func seeking() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        #expect(try seek(cluster, a, file, 0, .data) == nil)
        try cluster.write(a, file, .at(0), pattern(6000, 1))
        #expect(try seek(cluster, b, file, 100, .data) == 100)
        #expect(try seek(cluster, b, file, 100, .hole) == 6000)
        let far: UInt64 = 30 << 30
        try cluster.write(b, file, .at(far + 5000), pattern(1, 1))
        try cluster.write(b, file, .at(20 << 20), zeros(8192))
        #expect(try seek(cluster, a, file, 0, .hole) == 8192)
        #expect(try seek(cluster, a, file, 8192, .data) == 20 << 20)
        #expect(try seek(cluster, a, file, 20 << 20 + 10, .hole) == 20 << 20 + 8192)
        #expect(try seek(cluster, a, file, 21 << 20, .data) == far + 4096)
        #expect(try seek(cluster, a, file, far + 4500, .data) == far + 4500)
        #expect(try seek(cluster, a, file, far + 4500, .hole) == far + 5001)
        #expect(try seek(cluster, a, file, far + 5001, .data) == nil)
        #expect(try seek(cluster, a, file, far + 5001, .hole) == nil)
        try cluster.truncate(a, file, to: 40 << 30)
        #expect(try seek(cluster, b, file, far + 8192, .data) == nil)
        #expect(try seek(cluster, b, file, far + 8192, .hole) == far + 8192)
    }

    @Test("A punched range reads as zeros and gives its space back, a zeroed one extends the file")
    func punching() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        var bytes = pattern(9 << 20, 7)
        for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
            try cluster.write(a, file, .at(UInt64(start)), Array(bytes[start..<start + 1 << 20]))
        }
        for (offset, count) in [(5000, 10_000), (100, 50), (3 << 20 + 1, 5 << 20), (9 << 20 - 100, 1 << 20)] {
            try allocate(cluster, offset % 200 == 0 ? a : b, file, .punch, UInt64(offset), UInt64(count))
            let end = min(bytes.count, offset + count)
            bytes.replaceSubrange(offset..<end, with: zeros(end - offset))
        }
        for client in [a, b] {
            for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
                #expect(try cluster.read(client, file, UInt64(start)) == Array(bytes[start..<start + 1 << 20]))
            }
        }
        try cluster.sync(a, file)
        let taken = try stored(cluster, a, file)
        #expect(try allocated(cluster, b, file) == taken)
        #expect(taken == 4 << 20)
        try allocate(cluster, b, file, .zero, 9 << 20 - 4096, 10_000, keepsSize: false)
        #expect(try cluster.size(a, file) == 9 << 20 - 4096 + 10_000)
        #expect(try cluster.read(a, file, 9 << 20 - 4096) == zeros(10_000))
        try allocate(cluster, b, file, .zero, 0, 20 << 20)
        #expect(try cluster.size(a, file) == 9 << 20 - 4096 + 10_000)
        #expect(try allocated(cluster, a, file) == 0)
        #expect(try stored(cluster, a, file) == 0)
    }

    @Test("Past the longest file everything is too large, and a write across its end is short")
    func longest() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let file = try cluster.create(a, "f")
        let end = Geometry.fileBytesMax
        try cluster.write(a, file, .at(end - 10), pattern(10, 1))
        try cluster.sync(a, file)
        #expect(try cluster.read(a, file, end - 10) == pattern(10, 1))
        #expect(try cluster.size(a, file) == end)
        #expect(try cluster.written(a, file, .at(end - 9), pattern(10, 1)) == 9)
        #expect(throws: FileError.fileTooLarge) { try cluster.write(a, file, .at(end), pattern(10, 1)) }
        #expect(throws: FileError.fileTooLarge) { try cluster.truncate(a, file, to: end + 1) }
        #expect(throws: FileError.fileTooLarge) { try allocate(cluster, a, file, .zero, end - 9, 10) }
        #expect(throws: FileError.fileTooLarge) { try allocate(cluster, a, file, .reserve, .max - 5, 5) }
        // Its hole is filled without a reservation past the end, which there cannot be.
        let b = try cluster.client("b")
        try cluster.write(b, file, .at(0), pattern(5000, 2))
        try cluster.sync(b, file)
        #expect(try cluster.read(a, file, 0, 5000) == pattern(5000, 2))
        #expect(try allocated(cluster, a, file) == 12_288)
    }

    @Test("A copy moves whole chunks from node to node, ends that do not line up through the mount", arguments: [0, 5])
    func copying(shift: UInt64) throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let source = try cluster.create(a, "source")
        let target = try cluster.create(b, "target")
        let chunk: UInt64 = 4 << 20
        try cluster.write(a, source, .at(chunk - 10), pattern(2000, 1))
        try cluster.write(a, source, .at(3 * chunk + 100), pattern(5000, 2))
        try cluster.write(b, target, .at(0), pattern(10_000, 3))
        try cluster.write(b, target, .at(2 * chunk + shift), pattern(3000, 4))
        let size = 3 * chunk + 5100
        let count: Int = try cluster.wait {
            b.copy(from: source, at: 4096, to: target, at: 4096 + shift, count: 1 << 40, completion: $0)
        }
        #expect(UInt64(count) == size - 4096)
        #expect(try cluster.size(a, target) == size + shift)
        #expect(try cluster.read(a, target, 0, 4096) == Array(pattern(10_000, 3)[..<4096]))
        #expect(try cluster.read(a, target, chunk - 10 + shift, 2000) == pattern(2000, 1))
        #expect(try cluster.read(a, target, 2 * chunk + shift, 3000) == zeros(3000))
        #expect(try cluster.read(a, target, 3 * chunk + 100 + shift) == pattern(5000, 2))
        #expect((cluster.nodes.map(\.copyCount).max() ?? 0 > 0) == (shift == 0))
        try cluster.sync(b, target)
        #expect(try allocated(cluster, a, target) == (try stored(cluster, a, target)))
        let overlap: Completion<Int> = { result in
            guard case .failure(.invalidArgument) = result else {
                Issue.record("overlapping ranges are copied")
                return
            }
        }
        b.copy(from: target, at: 0, to: target, at: 100, count: 101, completion: overlap)
        let within: Int = try cluster.wait {
            b.copy(from: target, at: chunk - 10 + shift, to: target, at: 8 * chunk, count: 2000, completion: $0)
        }
        #expect(within == 2000)
        #expect(try cluster.read(a, target, 8 * chunk) == pattern(2000, 1))
    }

    @Test("Copies of two files into each other, on two mounts at once, end")
    func crossedCopies() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let one = try cluster.create(a, "one")
        let two = try cluster.create(b, "two")
        try cluster.write(a, one, .at(0), pattern(100_000, 1))
        try cluster.write(b, two, .at(0), pattern(100_000, 1))
        var pending = 0
        for round in 0..<10 {
            let client = round % 2 == 0 ? a : b
            for (from, to) in [(one, two), (two, one)] {
                pending += 1
                client.copy(from: from, at: 0, to: to, at: 0, count: 1 << 20) { result in
                    pending -= 1
                    guard case .success(100_000) = result else {
                        Issue.record("copied \(result)")
                        return
                    }
                }
            }
        }
        let isDone = cluster.scheduler.run(for: .seconds(20)) { pending == 0 }
        #expect(isDone)
        #expect(try cluster.read(a, two) == pattern(100_000, 1))
    }

    @Test("What a writer filled before it died is counted by the next one")
    func deadWriter() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(100 << 20), pattern(4096, 1))
        try cluster.sync(a, file)
        try cluster.open(b, file)
        // Another hole is filled: the bytes reach the nodes, the figure does not reach the server.
        try cluster.write(a, file, .at(50 << 20), pattern(8192, 1))
        a.writeBack(a.inodes.inode(file)) {}
        let data = a.inodes.inode(file).attributes.data
        let filled = ChunkID(data: data, index: 12)
        #expect(cluster.scheduler.run(for: .milliseconds(200)) { cluster.nodes.contains { $0.chunks[filled] != nil } })
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        try cluster.write(b, file, .at(100 << 20), pattern(10, 2))
        try cluster.sync(b, file)
        #expect(try allocated(cluster, b, file) == (try stored(cluster, b, file)))
    }
}
