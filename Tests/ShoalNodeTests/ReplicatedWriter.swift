import ShoalChunkStore
import ShoalNode
import ShoalTransport
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

/// A client that writes to all writable replicas, as the design's section 5 says, and knows what must be there.
final class ReplicatedWriter {
    struct Change {
        var chunk: ChunkID
        /// nil cuts the chunk to `offset` bytes.
        var bytes: [UInt8]?
        var offset: Int
    }

    let cluster: TestCluster
    let client: TestClient
    private(set) var model: [ChunkID: [UInt8]] = [:]
    private var version: UInt64 = 0
    private(set) var retries = 0

    init(_ cluster: TestCluster, _ client: TestClient) {
        self.cluster = cluster
        self.client = client
    }

    /// Sends all changes (of distinct chunks) at once; returns when every writable replica has taken each.
    func apply(_ changes: [Change]) throws {
        var remaining = changes.map { change -> (Change, UInt64) in
            version += 1
            return (change, version)
        }
        while !remaining.isEmpty {
            let map = cluster.metadata.currentMap
            let sent = try remaining.map { change, version in
                let partition = map.partition(of: change.chunk)
                return (
                    change, version,
                    try map[partition].writable.compactMap { replica -> Awaited<TestClient.Answer>? in
                        guard let node = map.node(replica.node), node.isUp else { return nil }
                        return send(change, version, map.epoch, to: try HostPort(parsing: node.address))
                    }
                )
            }
            var failed: [(Change, UInt64)] = []
            for (change, version, answers) in sent {
                let statuses = answers.map { $0.wait().status }
                if statuses.allSatisfy({ $0 == .ok }) {
                    note(change)
                } else {
                    for status in statuses where ![.ok, .staleEpoch, .notReplica, .unreachable].contains(status) {
                        Issue.record("unexpected status \(status)")
                    }
                    retries += 1
                    failed.append((change, version))
                }
            }
            remaining = failed
        }
    }

    private func send(_ change: Change, _ version: UInt64, _ epoch: Epoch, to address: HostPort) -> Awaited<
        TestClient.Answer
    > {
        guard let bytes = change.bytes else {
            let request = client.truncateRequest(change.chunk, length: change.offset, epoch: epoch, version: version)
            return client.send(.truncateChunk, request, to: address)
        }
        let request = client.writeRequest(change.chunk, offset: change.offset, bytes, epoch: epoch, version: version)
        return client.send(.writeChunk, request, payload: bytes, to: address)
    }

    private func note(_ change: Change) {
        var content = model[change.chunk] ?? []
        if let bytes = change.bytes {
            if content.count < change.offset + bytes.count {
                content += [UInt8](repeating: 0, count: change.offset + bytes.count - content.count)
            }
            content.replaceSubrange(change.offset..<change.offset + bytes.count, with: bytes)
        } else {
            content = Array(content.prefix(change.offset))
        }
        model[change.chunk] = content.isEmpty ? nil : content
    }

    func delete(_ chunk: ChunkID) {
        #expect(cluster.metadata.delete([chunk]))
        model[chunk] = nil
    }

    /// A few random changes of distinct chunks among `chunks` data IDs; odd ones are small.
    func randomChanges(chunks: UInt64, using random: inout SeededGenerator) -> [Change] {
        let block = Geometry.blockBytes
        let picked = Set((0..<6).map { _ in UInt64.random(in: 1...chunks, using: &random) })
        return picked.sorted().map { data in
            let chunk = ChunkID(data: DataID(data), index: UInt32(data % 3))
            let blocksMax = data % 2 == 1 ? 8 : 80
            let offset = Int.random(in: 0..<blocksMax, using: &random) * block
            guard Int.random(in: 0..<8, using: &random) > 0 else {
                return Change(chunk: chunk, bytes: nil, offset: offset)
            }
            let count = Int.random(in: 1...min(blocksMax, 20), using: &random) * block
            return Change(chunk: chunk, bytes: random.bytes(count), offset: offset)
        }
    }

    /// Every in-sync replica holds exactly the model.
    func check() throws {
        let map = cluster.metadata.currentMap
        cluster.awaitMaps()
        var expected: [PartitionID: Set<ChunkID>] = [:]
        for (chunk, content) in model {
            let partition = map.partition(of: chunk)
            expected[partition, default: []].insert(chunk)
            for node in map[partition].inSync {
                var held: [UInt8] = []
                while held.count < content.count {
                    let length = min(content.count - held.count, Geometry.requestBytesMax)
                    let part = client.read(
                        chunk, offset: held.count, length: length, epoch: map.epoch, from: try cluster.address(node))
                    try #require(part.status == .ok && part.isSound && !part.bytes.isEmpty)
                    held += part.bytes
                }
                #expect(held == content, "chunk \(chunk) on node \(node)")
            }
        }
        for index in map.partitions.indices {
            let partition = PartitionID(UInt16(index))
            let replicas = try map[partition].inSync.map { try cluster.records($0, partition) }
            for replica in replicas {
                #expect(Set(replica.map(\.chunk)) == expected[partition] ?? [], "partition \(partition)")
                #expect(replica.map(\.checksum) == replicas[0].map(\.checksum))
                #expect(replica.map(\.version) == replicas[0].map(\.version))
            }
        }
    }
}
