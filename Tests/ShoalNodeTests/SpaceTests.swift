import ShoalNode
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@Suite("Space on nodes", .serialized)
struct SpaceTests {
    private let block = Geometry.blockBytes

    private func replicas(_ cluster: TestCluster, _ chunk: ChunkID) -> [NodeID] {
        let map = cluster.metadata.currentMap
        return map[map.partition(of: chunk)].inSync
    }

    private func write(
        _ cluster: TestCluster, _ client: TestClient, _ chunk: ChunkID, _ first: Int, _ bytes: [UInt8],
        version: UInt64, sequence: UInt64 = 1
    ) throws {
        let epoch = cluster.metadata.currentMap.epoch
        for node in replicas(cluster, chunk) {
            let request = client.writeRequest(
                chunk, offset: first * block, bytes, epoch: epoch, version: version, sequence: sequence)
            let answer = client.call(.writeChunk, request, payload: bytes, to: try cluster.address(node))
            try #require(answer.status == .ok)
        }
    }

    private func layout(
        _ cluster: TestCluster, _ client: TestClient, _ chunk: ChunkID, on node: NodeID
    ) throws -> [Int] {
        let request = ChunkLayoutRequest(epoch: cluster.metadata.currentMap.epoch, chunk: chunk)
        let layout: ChunkLayoutReply = try client.call(.chunkLayout, request, to: try cluster.address(node)).decode()
        return (0..<Int(layout.blockCount)).filter { layout.isData($0) }
    }

    private func copy(
        _ cluster: TestCluster, _ client: TestClient, _ source: ChunkID, to chunk: ChunkID, version: UInt64,
        sequence: UInt64 = 1
    ) throws -> [TestClient.Answer] {
        var request = CopyChunkRequest()
        request.epoch = cluster.metadata.currentMap.epoch
        request.session = client.session
        request.generation = client.generation
        request.sequence = LeaseSequence(sequence)
        request.chunk = chunk
        request.source = source
        request.version = version
        let message = request
        return try replicas(cluster, chunk).map { client.send(.copyChunk, message, to: try cluster.address($0)) }
            .map { $0.wait() }
    }

    private func content(
        _ cluster: TestCluster, _ client: TestClient, _ chunk: ChunkID, on node: NodeID
    ) throws -> [UInt8] {
        let part = client.read(
            chunk, length: 1 << 20, epoch: cluster.metadata.currentMap.epoch, from: try cluster.address(node))
        try #require(part.status == .ok && (part.isSound || part.bytes.isEmpty))
        return part.bytes
    }

    @Test("A punched range is a hole on each replica, a repeated punch answers the same, an old lease is refused")
    func punching() throws {
        var random = SeededGenerator(seed: testSeed("punching"))
        let cluster = try TestCluster(nodes: 3, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let chunk = ChunkID(data: DataID(5), index: 2)
        let bytes = random.bytes(40 * block)
        try write(cluster, client, chunk, 0, bytes, version: 1, sequence: 3)
        var request = PunchChunkRequest()
        request.epoch = cluster.metadata.currentMap.epoch
        request.session = client.session
        request.generation = client.generation
        request.sequence = LeaseSequence(3)
        request.chunk = chunk
        request.offset = UInt32(4 * block)
        request.length = UInt32(10 * block)
        request.version = 2
        for node in replicas(cluster, chunk) {
            for _ in 0..<2 {
                let answer = client.call(.punchChunk, request, to: try cluster.address(node))
                #expect(try answer.decode(ChunkSpaceReply.self).allocatedBlocks == 30)
            }
            #expect(try layout(cluster, client, chunk, on: node) == Array(0..<4) + Array(14..<40))
            let expected = bytes[..<(4 * block)] + [UInt8](repeating: 0, count: 10 * block) + bytes[(14 * block)...]
            #expect(try content(cluster, client, chunk, on: node) == Array(expected))
        }
        let address = try cluster.address(replicas(cluster, chunk)[0])
        request.sequence = LeaseSequence(2)
        #expect(client.call(.punchChunk, request, to: address).status == .staleLease)
        request.length = 100
        #expect(client.call(.punchChunk, request, to: address).status == .badRequest)
    }

    @Test("A replica that catches up has the holes of its source")
    func resync() throws {
        var random = SeededGenerator(seed: testSeed("holes"))
        let cluster = try TestCluster(nodes: 2, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        cluster.drop(1)
        let chunks = (1...8).map { ChunkID(data: DataID($0), index: 0) }
        for chunk in chunks {
            let first = Int(chunk.data.rawValue) * 40
            try write(cluster, client, chunk, first, random.bytes(3 * block), version: 1)
            try write(cluster, client, chunk, first + 10, random.bytes(block), version: 2)
        }
        try cluster.restart(1)
        _ = cluster.metadata.wait { $0.isWhole }
        cluster.awaitMaps()
        for chunk in chunks {
            let first = Int(chunk.data.rawValue) * 40
            for node in replicas(cluster, chunk) {
                let data = try layout(cluster, client, chunk, on: node)
                #expect(data == Array(first..<first + 3) + [first + 10], "node \(node)")
            }
        }
    }

    @Test("A copied chunk is the source's, holes and all, on every replica, wherever the source is")
    func copying() throws {
        var random = SeededGenerator(seed: testSeed("copying"))
        let cluster = try TestCluster(nodes: 3, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        for number in 1...6 {
            let source = ChunkID(data: DataID(UInt64(number)), index: 0)
            let target = ChunkID(data: DataID(100), index: UInt32(number))
            let bytes = random.bytes(200 * block)
            try write(cluster, client, source, 3, Array(bytes[..<(150 * block)]), version: 1)
            try write(cluster, client, source, 160, Array(bytes[(150 * block)...]), version: 2)
            // The target has bytes where the source has holes, and past its end.
            try write(cluster, client, target, 0, random.bytes(2 * block), version: 1)
            try write(cluster, client, target, 155, random.bytes(90 * block), version: 2)
            for _ in 0..<2 {
                for answer in try copy(cluster, client, source, to: target, version: 3) {
                    #expect(try answer.decode(ChunkSpaceReply.self).allocatedBlocks == 200)
                }
            }
            let expected = try content(cluster, client, source, on: replicas(cluster, source)[0])
            for node in replicas(cluster, target) {
                #expect(try content(cluster, client, target, on: node) == expected)
                #expect(try layout(cluster, client, target, on: node) == Array(3..<153) + Array(160..<210))
            }
        }
        // A chunk that does not exist makes a hole.
        let target = ChunkID(data: DataID(100), index: 1)
        let missing = ChunkID(data: DataID(99), index: 0)
        for answer in try copy(cluster, client, missing, to: target, version: 4) {
            #expect(try answer.decode(ChunkSpaceReply.self).allocatedBlocks == 0)
        }
        for node in replicas(cluster, target) { #expect(try layout(cluster, client, target, on: node) == []) }
    }

    @Test("Of a copy and a write behind it, the write wins; under an old lease nothing is copied")
    func order() throws {
        var random = SeededGenerator(seed: testSeed("order"))
        let cluster = try TestCluster(nodes: 3, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let source = ChunkID(data: DataID(1), index: 0)
        let target = ChunkID(data: DataID(2), index: 0)
        let bytes = random.bytes(256 * block)
        try write(cluster, client, source, 0, bytes, version: 1, sequence: 5)
        let map = cluster.metadata.currentMap
        var request = CopyChunkRequest()
        request.epoch = map.epoch
        request.session = client.session
        request.generation = client.generation
        request.sequence = LeaseSequence(5)
        request.chunk = target
        request.source = source
        request.version = 2
        let later = random.bytes(block)
        let write = client.writeRequest(target, offset: 8 * block, later, epoch: map.epoch, version: 3, sequence: 5)
        for node in replicas(cluster, target) {
            let address = try cluster.address(node)
            let copied = client.send(.copyChunk, request, to: address)
            let written = client.send(.writeChunk, write, payload: later, to: address)
            #expect(copied.wait().status == .ok)
            #expect(written.wait().status == .ok)
            var expected = bytes
            expected.replaceSubrange(8 * block..<9 * block, with: later)
            #expect(try content(cluster, client, target, on: node) == expected)
            request.sequence = LeaseSequence(4)
            #expect(client.call(.copyChunk, request, to: address).status == .staleLease)
            request.sequence = LeaseSequence(5)
            #expect(try content(cluster, client, target, on: node) == expected)
        }
        request.source = target
        #expect(client.call(.copyChunk, request, to: try cluster.address(NodeID(1))).status == .badRequest)
    }

    @Test("All nodes together list each chunk of a file; one that has another map says so")
    func listing() throws {
        let cluster = try TestCluster(nodes: 3, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let indices: [UInt32] = [0, 3, 4, 900, 4_000_000_000]
        for index in indices {
            try write(
                cluster, client, ChunkID(data: DataID(7), index: index), 1, [UInt8](repeating: 1, count: 2 * block),
                version: 1)
        }
        let epoch = cluster.metadata.currentMap.epoch
        var found: [UInt32: UInt32] = [:]
        for node in 1...3 {
            let request = ListChunksRequest(epoch: epoch, data: DataID(7), from: 1, to: .max)
            let reply: ListChunksReply = try client.call(
                .listChunks, request, to: try cluster.address(NodeID(UInt32(node)))
            )
            .decode()
            #expect(reply.next == nil)
            for entry in reply.entries { found[entry.index] = entry.allocatedBlocks }
        }
        #expect(found == [3: 2, 4: 2, 900: 2, 4_000_000_000: 2])
        // Deleted by the data ID alone.
        #expect(cluster.metadata.delete([ChunkID(data: DataID(7), index: ChunkListRequest.everyIndex)]))
        for index in indices {
            let chunk = ChunkID(data: DataID(7), index: index)
            for node in replicas(cluster, chunk) { #expect(try layout(cluster, client, chunk, on: node) == []) }
        }
        let old = ListChunksRequest(epoch: Epoch(epoch.rawValue - 1), data: DataID(7), from: 0, to: .max)
        #expect(client.call(.listChunks, old, to: try cluster.address(NodeID(1))).status == .staleEpoch)
    }
}
