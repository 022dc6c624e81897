import Glibc
import ShoalChunkStore
import ShoalNode
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Integrity", .serialized)
struct IntegrityTests {
    /// A chunk in a file of its own, on both nodes.
    private func store(
        _ content: [UInt8], _ cluster: TestCluster, _ client: TestClient
    ) throws -> (chunk: ChunkID, map: ClusterMap) {
        let map = cluster.metadata.currentMap
        let chunk = cluster.chunk(on: NodeID(1), map: map)
        for node in map[map.partition(of: chunk)].inSync {
            #expect(client.write(chunk, content, epoch: map.epoch, version: 1, to: try cluster.address(node)) == .ok)
            let sync = ChunkListRequest(epoch: map.epoch, chunks: [chunk])
            #expect(client.call(.syncChunks, sync, to: try cluster.address(node)).status == .ok)
        }
        return (chunk, map)
    }

    private func chunkFile(_ cluster: TestCluster, bytes: Int) throws -> String {
        try #require(
            files(under: "\(cluster.directory(0))/chunks").first { $0.bytes == bytes && $0.path.contains("/data/") }
        ).path
    }

    @Test("A flipped byte on the disk is seen by the reader, found by verifyChunks, and mended from the other replica")
    func flippedByte() throws {
        var random = SeededGenerator(seed: testSeed("flippedByte"))
        let cluster = try TestCluster(nodes: 2, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let content = random.bytes(256 << 10)
        let (chunk, map) = try store(content, cluster, client)
        let address = try cluster.address(NodeID(1))

        let descriptor = open(try chunkFile(cluster, bytes: content.count), O_RDWR)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var byte: [UInt8] = [content[100_000] ^ 0x10]
        #expect(pwrite(descriptor, &byte, 1, 100_000) == 1)

        #expect(!client.read(chunk, length: content.count, epoch: map.epoch, from: address).isSound)
        let verify = ChunkListRequest(epoch: map.epoch, chunks: [chunk])
        #expect(client.call(.verifyChunks, verify, to: address).status == .ok)
        let read = client.read(chunk, length: content.count, epoch: map.epoch, from: address)
        #expect(read.isSound && read.bytes == content)
        let usage = try cluster.node(NodeID(1)).usage
        #expect(usage.corruptChunks == 1 && usage.repairedChunks == 1)
    }

    @Test("A chunk file that is gone is corruption, not a hole, and is brought back from the other replica")
    func missingFile() throws {
        var random = SeededGenerator(seed: testSeed("missingFile"))
        let cluster = try TestCluster(nodes: 2, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let content = random.bytes(1 << 20)
        let (chunk, map) = try store(content, cluster, client)
        cluster.drop(0)
        #expect(unlink(try chunkFile(cluster, bytes: content.count)) == 0)
        try cluster.restart(0)
        let whole = cluster.metadata.wait { $0.isWhole }
        let address = try cluster.address(NodeID(1))
        let lost = client.read(chunk, length: 4096, epoch: whole.epoch, from: address)
        #expect(lost.status == .badChecksum || (lost.status == .ok && !lost.isSound))
        let verify = ChunkListRequest(epoch: map.epoch, chunks: [chunk])
        #expect(client.call(.verifyChunks, verify, to: address).status == .ok)
        let read = client.read(chunk, length: content.count, epoch: whole.epoch, from: address)
        #expect(read.isSound && read.bytes == content)
    }

    @Test("With no other replica the damage is reported and nothing is made up")
    func noOtherReplica() throws {
        var random = SeededGenerator(seed: testSeed("noOtherReplica"))
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let content = random.bytes(128 << 10)
        let (chunk, map) = try store(content, cluster, client)
        let descriptor = open(try chunkFile(cluster, bytes: content.count), O_RDWR)
        defer { close(descriptor) }
        var byte: [UInt8] = [content[0] ^ 1]
        #expect(pwrite(descriptor, &byte, 1, 0) == 1)
        let address = try cluster.address(NodeID(1))
        let verify = ChunkListRequest(epoch: map.epoch, chunks: [chunk])
        #expect(client.call(.verifyChunks, verify, to: address).status == .failed(.inputOutput))
        #expect(!client.read(chunk, length: content.count, epoch: map.epoch, from: address).isSound)
    }

    @Test("Bytes that do not match their checksums are never stored")
    func badArrival() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let address = try cluster.address(NodeID(1))
        let epoch = cluster.metadata.currentMap.epoch
        let chunk = ChunkID(data: DataID(1), index: 0)
        var bytes = [UInt8](repeating: 1, count: 8192)
        let request = client.writeRequest(chunk, bytes, epoch: epoch, version: 1)
        bytes[5000] = 2
        #expect(client.call(.writeChunk, request, payload: bytes, to: address).status == .badChecksum)
        #expect(client.read(chunk, length: 8192, epoch: epoch, from: address).bytes.isEmpty)
    }

    @Test("The scrub finds and mends damage that nobody reads")
    func scrub() throws {
        var random = SeededGenerator(seed: testSeed("scrub"))
        var limits = NodeLimits.test
        limits.scrubBytesPerSecond = 1 << 30
        limits.scrubStart = .milliseconds(10)
        limits.scrubPause = .milliseconds(10)
        let cluster = try TestCluster(nodes: 2, replicas: 2, limits: limits)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let content = random.bytes(256 << 10)
        let (chunk, map) = try store(content, cluster, client)
        let descriptor = open(try chunkFile(cluster, bytes: content.count), O_RDWR)
        defer { close(descriptor) }
        var byte: [UInt8] = [content[9] ^ 1]
        #expect(pwrite(descriptor, &byte, 1, 9) == 1)
        let address = try cluster.address(NodeID(1))
        let deadline = ContinuousClock.now + .seconds(20)
        while try cluster.node(NodeID(1)).usage.repairedChunks == 0 { try #require(ContinuousClock.now < deadline) }
        #expect(client.read(chunk, length: content.count, epoch: map.epoch, from: address).isSound)
    }
}
