import ShoalMetadata
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

/// Files that several mounts write at once, in different chunks.
@Suite("Parts of files")
struct PartTests {
    private static let chunk: UInt64 = 128 << 10

    private struct World {
        let cluster: Cluster
        let a: Client
        let b: Client
        let file: InodeID

        /// Two mounts, and a file of `chunks` chunks without holes.
        init(chunks: Int = 8) throws {
            var limits = CoordinatorLimits.production
            limits.chunkBytesLog2 = 17
            cluster = try Cluster(limits: limits)
            a = try cluster.client("a")
            b = try cluster.client("b")
            file = try cluster.create(a, "f")
            try cluster.open(b, file)
            if chunks > 0 { try cluster.write(a, file, .at(0), pattern(chunks << 17, 1)) }
        }

        func write(_ client: Client, chunk: Int, _ value: UInt8) throws {
            try cluster.write(
                client, file, .at(UInt64(chunk) * PartTests.chunk + 100), [UInt8](repeating: value, count: 5000))
        }

        /// Until each has its own part.
        func divide() throws {
            for round in 0..<3 {
                try write(a, chunk: 1, UInt8(round))
                try write(b, chunk: 6, UInt8(round))
            }
            #expect(a.usableLease(file).mode == .part)
            #expect(b.usableLease(file).mode == .part)
        }

        func attributes(_ client: Client) throws -> FileAttributes {
            try cluster.wait { client.attributes(of: file, completion: $0) }
        }
        /// What the nodes hold of the file, on one replica.
        func stored() throws -> UInt64 {
            let data = try attributes(a).data
            var blocks: [ChunkID: Int] = [:]
            for node in cluster.nodes {
                for (chunk, content) in node.chunks
                where chunk.data == data && node.map[node.map.partition(of: chunk)].state(of: node.id) == .inSync {
                    blocks[chunk] = content.blocks.count
                }
            }
            return UInt64(blocks.values.reduce(0, +) * Geometry.blockBytes)
        }
        var acquisitions: Int { cluster.metadata.requestCounts[.acquireLease, default: 0] }
    }

    @Test("who writes different chunks takes nothing from each other, and reads what it has written")
    func disjoint() throws {
        let world = try World()
        try world.divide()
        let before = world.acquisitions
        for round in 0..<40 {
            let (client, chunk) = round % 2 == 0 ? (world.a, round / 2 % 3) : (world.b, 6 + round / 2 % 2)
            try world.write(client, chunk: chunk, UInt8(round))
            let bytes = try world.cluster.read(client, world.file, UInt64(chunk) * PartTests.chunk + 100, 5000)
            #expect(bytes.allSatisfy { $0 == UInt8(round) })
        }
        #expect(world.acquisitions == before)
        let c = try world.cluster.client("c")
        for (chunk, value) in [(0, 36), (1, 38), (2, 34), (6, 37), (7, 39)] {
            let bytes = try world.cluster.read(c, world.file, UInt64(chunk) * PartTests.chunk + 100, 5000)
            #expect(bytes.allSatisfy { $0 == UInt8(value) }, "chunk \(chunk)")
        }
    }

    @Test(
        "who writes what another has been given gets it, with what was written there; nothing ahead of it is remembered"
    )
    func crossing() throws {
        let world = try World()
        try world.divide()
        // A reader of its own part is not served ahead out of the other's.
        _ = try world.cluster.read(world.a, world.file, 0, 3 << 17)
        _ = try world.cluster.read(world.a, world.file, 3 << 17, 1 << 17)
        for round in 10..<20 {
            try world.write(world.b, chunk: 5, UInt8(round))
            #expect(try world.cluster.read(world.a, world.file, 5 << 17, 5100).last == UInt8(round))
            try world.write(world.a, chunk: 5, UInt8(100 + round))
            #expect(try world.cluster.read(world.b, world.file, 5 << 17, 5100).last == UInt8(100 + round))
        }
    }

    @Test("a file that both make up from nothing is as long as the farther of them went, and takes what both wrote")
    func growing() throws {
        let world = try World(chunks: 0)
        for chunk in 0..<20 {
            for (client, place) in [(world.a, chunk), (world.b, 40 + chunk)] {
                try world.cluster.write(
                    client, world.file, .at(UInt64(place) * PartTests.chunk), pattern(1 << 17, UInt8(place)))
            }
            let size = try world.attributes(world.a).size
            #expect(size == UInt64(41 + chunk) * PartTests.chunk)
        }
        #expect(world.acquisitions < 20)
        try world.cluster.sync(world.a, world.file)
        #expect(try world.attributes(world.b).allocatedBytes == 40 * PartTests.chunk)
        for place in Array(0..<20) + Array(40..<60) {
            let bytes = try world.cluster.read(world.a, world.file, UInt64(place) * PartTests.chunk, 1 << 17)
            #expect(bytes == pattern(1 << 17, UInt8(place)))
        }
        #expect(try world.cluster.read(world.b, world.file, 30 * PartTests.chunk, 1 << 17) == zeros(1 << 17))
    }

    @Test("times and length are those of who wrote last, whoever asks")
    func attributes() throws {
        let world = try World()
        try world.divide()
        let c = try world.cluster.client("c")
        for round in 0..<6 {
            world.cluster.scheduler.run(for: .milliseconds(20))
            let now = world.a.wallClock
            try world.write(round % 2 == 0 ? world.a : world.b, chunk: round % 2 == 0 ? 1 : 6, 1)
            for client in [c, world.a, world.b] {
                #expect(try world.attributes(client).modifyTime >= now, "round \(round)")
                #expect(try world.attributes(client).size == 8 * PartTests.chunk)
            }
        }
        #expect(world.a.usableLease(world.file).mode == .part)
    }

    @Test("what concerns the whole file takes the parts back: truncation, append, chmod, fsync, a removal")
    func whole() throws {
        let world = try World()
        let c = try world.cluster.client("c")
        let (cluster, file) = (world.cluster, world.file)
        try world.divide()
        try cluster.write(c, file, .end, [7])
        #expect(try world.attributes(world.a).size == 8 * PartTests.chunk + 1)
        try world.divide()
        try cluster.truncate(c, file, to: 3 * PartTests.chunk)
        #expect(try world.attributes(world.b).size == 3 * PartTests.chunk)
        #expect(try cluster.read(world.b, file, 6 << 17, 10).isEmpty)
        try cluster.truncate(c, file, to: 8 * PartTests.chunk)
        try world.divide()
        var change = AttributeChange()
        change.permissions = 0o600
        _ = try cluster.wait { c.setAttributes(of: file, change, completion: $0) }
        #expect(try world.attributes(world.b).permissions == 0o600)
        try world.divide()
        try cluster.sync(c, file)
        try world.divide()
        try cluster.wait { c.unlink(.root, named("f"), completion: $0) }
        try world.write(world.a, chunk: 1, 77)
        #expect(try cluster.read(world.b, file, PartTests.chunk + 100, 5000).allSatisfy { $0 == 77 })
    }

    @Test("parts outlive a restart of the metadata server, and stay where they are")
    func restart() throws {
        let world = try World()
        try world.divide()
        let held = [world.a, world.b].map { $0.usableLease(world.file).extent }
        try world.write(world.a, chunk: 2, 50)
        world.cluster.metadata.restart(after: .seconds(1))
        world.cluster.scheduler.run(for: .seconds(4))
        #expect([world.a, world.b].map { $0.usableLease(world.file).extent } == held)
        try world.write(world.b, chunk: 7, 51)
        try world.write(world.a, chunk: 3, 52)
        let c = try world.cluster.client("c")
        for (chunk, value) in [(2, 50), (7, 51), (3, 52)] {
            let bytes = try world.cluster.read(c, world.file, UInt64(chunk) * PartTests.chunk + 100, 5000)
            #expect(bytes.allSatisfy { $0 == UInt8(value) }, "chunk \(chunk)")
        }
    }

    @Test("what a holder that died had put into holes is counted by the next writer of the whole file")
    func death() throws {
        let world = try World(chunks: 0)
        let (cluster, file) = (world.cluster, world.file)
        try cluster.write(world.a, file, .at(0), [1])
        try cluster.truncate(world.a, file, to: 8 * PartTests.chunk)
        try cluster.write(world.a, file, .at(0), [1])
        try cluster.sync(world.a, file)
        try world.divide()
        try world.write(world.b, chunk: 6, 9)
        let mayCommit = cluster.metadata
        mayCommit.refusals[.commitWrites] = .notReady
        cluster.scheduler.run(for: .seconds(1))
        cluster.networks["b"]?.unreachable = [SimulatedMetadata.address]
        cluster.scheduler.run(for: .seconds(30))
        mayCommit.refusals = [:]
        try cluster.write(world.a, file, .end, [1])
        try cluster.sync(world.a, file)
        let stored = try world.stored()
        #expect(try world.attributes(world.a).allocatedBytes == stored)
        #expect(stored >= 16_384)
    }
}
