import ShoalNode
import ShoalTypes
import ShoalWire
import Testing

@Suite("Ended and replaced writers", .serialized)
struct FenceTests {
    private func bytes(_ fill: UInt8, blocks: Int = 2) -> [UInt8] {
        [UInt8](repeating: fill, count: blocks * Geometry.blockBytes)
    }

    @Test(
        "After a fence the replicas of what the session wrote last are equal, whichever of them the writes had reached")
    func reconciled() throws {
        let cluster = try TestCluster(nodes: 3, replicas: 3)
        defer { cluster.stop() }
        let ended = TestClient(session: SessionID(7))
        defer { ended.stop() }
        let reader = TestClient(session: SessionID(8))
        defer { reader.stop() }
        let map = cluster.metadata.currentMap
        // For each subset of the three replicas: a chunk that all have, then a write that only the subset gets.
        var chunks: [(chunk: ChunkID, reached: [NodeID])] = []
        for subset in 0..<8 {
            let chunk = ChunkID(data: DataID(UInt64(100 + subset)), index: 0)
            let replicas = map[map.partition(of: chunk)].inSync
            for node in replicas where subset != 7 || node != replicas[0] {
                #expect(
                    ended.write(chunk, bytes(1), epoch: map.epoch, version: 1, to: try cluster.address(node)) == .ok)
            }
            let reached = replicas.indices.filter { subset & (1 << $0) != 0 }.map { replicas[$0] }
            for node in reached {
                let status = ended.write(
                    chunk, offset: 4096, bytes(2, blocks: 40), epoch: map.epoch, version: 2,
                    to: try cluster.address(node))
                #expect(status == .ok)
            }
            chunks.append((chunk, reached))
        }
        let fenced = cluster.metadata.update { map in
            map.fenced.append(SessionID(7))
            return []
        }
        for (chunk, reached) in chunks {
            let replicas = map[map.partition(of: chunk)].inSync
            // Waits until the chunk is reconciled.
            let contents = try replicas.map {
                reader.read(chunk, length: 64 * 4096, epoch: fenced.epoch, from: try cluster.address($0))
            }
            #expect(contents.allSatisfy { $0.status == .ok && $0.isSound })
            #expect(contents.allSatisfy { $0.bytes == contents[0].bytes })
            #expect(contents[0].bytes.count == (reached.contains(replicas[0]) ? 41 : 2) * 4096)
            for node in replicas {
                #expect(
                    ended.write(chunk, bytes(3), epoch: fenced.epoch, version: 3, to: try cluster.address(node))
                        == .fenced)
            }
        }
        for index in map.partitions.indices {
            let partition = PartitionID(UInt16(index))
            let records = try map[partition].inSync.map { try cluster.records($0, partition) }
            #expect(records.allSatisfy { $0 == records[0] })
        }
    }

    @Test("Bytes on an older connection of a session are refused once a newer one has said hello")
    func ghosts() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let address = try cluster.address(NodeID(1))
        let epoch = cluster.metadata.currentMap.epoch
        let chunk = ChunkID(data: DataID(1), index: 0)
        let old = TestClient(generation: 1)
        defer { old.stop() }
        #expect(old.write(chunk, bytes(1), epoch: epoch, version: 1, to: address) == .ok)
        let new = TestClient(generation: 2)
        defer { new.stop() }
        #expect(new.write(chunk, bytes(2), epoch: epoch, version: 2, to: address) == .ok)
        // The old client says that it is the old one; its connection is closed, or its bytes are refused.
        let status = old.write(chunk, bytes(3), epoch: epoch, version: 3, to: address)
        #expect(status == .staleConnection || status == .unreachable)
        #expect(old.refusal(by: address) == .staleConnection)
        // Nor does it help to send the old generation over the new connection.
        var request = new.writeRequest(chunk, bytes(4), epoch: epoch, version: 4)
        request.generation = ConnectionGeneration(1)
        #expect(new.call(.writeChunk, request, payload: bytes(4), to: address).status == .staleConnection)
        #expect(new.read(chunk, length: 2 * 4096, epoch: epoch, from: address).bytes == bytes(2))
    }

    @Test("A write under an older lease than the chunk's last one is refused")
    func staleLease() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let address = try cluster.address(NodeID(1))
        let epoch = cluster.metadata.currentMap.epoch
        let client = TestClient()
        defer { client.stop() }
        let chunk = ChunkID(data: DataID(1), index: 0)
        #expect(client.write(chunk, bytes(1), epoch: epoch, version: 1, sequence: 5, to: address) == .ok)
        #expect(client.write(chunk, bytes(2), epoch: epoch, version: 2, sequence: 4, to: address) == .staleLease)
        #expect(client.write(chunk, bytes(3), epoch: epoch, version: 3, sequence: 5, to: address) == .ok)
    }
}
