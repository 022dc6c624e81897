import ShoalSimulation
import ShoalTypes
import Testing

@testable import ShoalClient

@Suite("The content of a file")
struct ContentTests {
    @Test("What was written is read back, and by another client through the leases that both hold")
    func coherence() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.open(b, file)
        for round in 0..<6 {
            let bytes = pattern(10_000 + round * 3000, UInt8(round))
            let (writer, reader) = round % 2 == 0 ? (a, b) : (b, a)
            try cluster.write(writer, file, .at(UInt64(round) * 777), bytes)
            #expect(try cluster.read(writer, file, UInt64(round) * 777) == bytes)
            #expect(try cluster.read(reader, file, UInt64(round) * 777) == bytes)
        }
    }

    @Test("Appends of two clients are all there")
    func appends() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        var pending = 0
        for number in 0..<40 {
            let bytes = [UInt8](repeating: UInt8(number + 1), count: 100)
            pending += 1
            bytes.withUnsafeBytes { (number % 2 == 0 ? a : b).write(file, .end, $0) { _ in pending -= 1 } }
        }
        #expect(cluster.scheduler.run(for: .seconds(60)) { pending == 0 })
        let content = try cluster.read(b, file)
        #expect(content.count == 4000)
        let records = stride(from: 0, to: content.count, by: 100).map { Set(content[$0..<$0 + 100]) }
        #expect(records.allSatisfy { $0.count == 1 })
        #expect(Set(records.compactMap(\.first)).count == 40)
    }

    @Test(
        "What a truncation cut off, and what nobody wrote, reads as zeros",
        arguments: [0, 1, 4096, 5000, 131_072, 140_000])
    func truncation(size: Int) throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        let bytes = pattern(300_000, 3)
        try cluster.write(a, file, .at(0), bytes)
        if size % 2 == 0 { try cluster.sync(a, file) }
        try cluster.truncate(a, file, to: UInt64(size))
        #expect(try cluster.size(b, file) == UInt64(size))
        try cluster.truncate(b, file, to: 200_000)
        try cluster.write(b, file, .at(250_001), [9])
        let expected = bytes[..<size] + zeros(250_001 - size) + [9]
        #expect(try cluster.read(b, file) == Array(expected))
        #expect(try cluster.read(a, file) == Array(expected))
    }

    @Test("A write into the middle of pages that are not cached keeps what is around it")
    func partialPages() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        var bytes = pattern(50_000, 5)
        try cluster.write(a, file, .at(0), bytes)
        for (offset, count) in [(100, 10), (4090, 12), (8192, 5000), (49_990, 10)] {
            let patch = pattern(count, 99)
            bytes.replaceSubrange(offset..<offset + count, with: patch)
            try cluster.write(b, file, .at(UInt64(offset)), patch)
            #expect(try cluster.read(a, file) == bytes)
        }
    }

    @Test("A file that another client emptied gets its new bytes, though it was open here all along")
    func writeAfterForeignTruncation() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "log")
        try cluster.write(a, file, .at(0), pattern(20_000, 1))
        try cluster.open(b, file, truncates: true)
        try cluster.write(a, file, .at(0), pattern(5000, 2))
        try cluster.sync(a, file)
        #expect(try cluster.read(b, file) == pattern(5000, 2))
        #expect(cluster.nodes.allSatisfy { $0.chunks[ChunkID(data: .none, index: 0)] == nil })
    }

    /// `shoal-exercise trees` of seed 1001 came upon it: the reservation that the longer size had left was believed, and
    /// the bytes went to chunks of no content.
    @Test("A file that was emptied, made long and then short gets its new bytes")
    func writeAfterTruncations() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(100, 1))
        for size: UInt64 in [0, 2_670_592, 203] { try cluster.truncate(a, file, to: size) }
        let bytes = pattern(4096, 2)
        try cluster.write(a, file, .at(131_070), bytes)
        try cluster.sync(a, file)
        #expect(try cluster.read(b, file) == zeros(131_070) + bytes)
        #expect(cluster.nodes.allSatisfy { $0.chunks[ChunkID(data: .none, index: 0)] == nil })
    }

    @Test(
        "What is written to a removed file is read by others who have it open, whoever removed it", arguments: [0, 1])
    func writerOfRemovedFile(remover: Int) throws {
        let cluster = try Cluster()
        let clients = [try cluster.client("a"), try cluster.client("b")]
        let id = try cluster.create(clients[0], "f")
        try cluster.write(clients[0], id, .at(0), pattern(100, 1))
        try cluster.open(clients[1], id)
        try cluster.wait { clients[remover].unlink(.root, named("f"), completion: $0) }
        let bytes = pattern(10_000, 2)
        try cluster.write(clients[1], id, .at(50), bytes)
        try cluster.wait { clients[1].release(id, completion: $0) }
        #expect(try cluster.size(clients[0], id) == 10_050)
        #expect(try cluster.read(clients[0], id) == pattern(50, 1) + bytes)
        try cluster.wait { clients[0].release(id, completion: $0) }
        cluster.scheduler.run(for: .seconds(5))
        #expect(throws: FileError.notFound) { try cluster.size(clients[0], id) }
    }

    @Test("A cache smaller than one read still reads right", arguments: CachePolicy.allCases)
    func tinyCache(policy: CachePolicy) throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        var limits = ClientLimits.production
        limits.cacheBytesMax = 256 << 10
        limits.dirtyBytesMax = 128 << 10
        limits.cachePolicy = policy
        let b = try cluster.client("b", limits: limits)
        let file = try cluster.create(a, "f")
        let bytes = pattern(5 << 20, 8)
        for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
            try cluster.write(a, file, .at(UInt64(start)), Array(bytes[start..<start + 1 << 20]))
        }
        // Across the boundary of two chunks, which two requests fetch.
        #expect(try cluster.read(b, file, 3_800_000, 1 << 20) == Array(bytes[3_800_000..<3_800_000 + 1 << 20]))
        try cluster.write(b, file, .at(131_000), pattern(200_000, 77))
        #expect(try cluster.read(a, file, 131_000, 200_000) == pattern(200_000, 77))
        #expect(b.cache.bytes <= 2 << 20)
    }
}
