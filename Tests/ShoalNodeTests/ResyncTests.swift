import ShoalChunkStore
import ShoalNode
import ShoalTypes
import Testing
import ShoalTestSupport

@Suite("Resync", .serialized)
struct ResyncTests {
    @Test(
        "A node that was away catches up while writes go on, and then holds exactly what the others hold",
        arguments: [2, 3])
    func catchUp(replicas: Int) throws {
        let seed = testSeed("catchUp")
        var random = SeededGenerator(seed: seed)
        let cluster = try TestCluster(nodes: 3, replicas: replicas)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let writer = ReplicatedWriter(cluster, client)
        func write(_ rounds: Int) throws {
            for _ in 0..<rounds { try writer.apply(writer.randomChanges(chunks: 60, using: &random)) }
        }
        try write(30)
        for victim in [1, 0] {
            cluster.drop(victim)
            try write(30)
            for chunk in writer.model.keys.sorted().prefix(5) { writer.delete(chunk) }
            try cluster.restart(victim)
            while !cluster.metadata.currentMap.isWhole { try write(1) }
            try write(10)
            try writer.check()
        }
        print("catchUp: \(writer.model.count) chunks, \(writer.retries) retries")
    }

    @Test("A resync whose source goes away starts again from the next one")
    func sourceDies() throws {
        let seed = testSeed("sourceDies")
        var random = SeededGenerator(seed: seed)
        var limits = NodeLimits.test
        limits.resyncBytesPerSecond = 4 << 20
        let cluster = try TestCluster(nodes: 3, replicas: 3, limits: limits)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let writer = ReplicatedWriter(cluster, client)
        for _ in 0..<10 { try writer.apply(writer.randomChanges(chunks: 60, using: &random)) }
        cluster.drop(2)
        for _ in 0..<60 { try writer.apply(writer.randomChanges(chunks: 60, using: &random)) }
        try cluster.restart(2)
        cluster.drop(0)
        for _ in 0..<5 { try writer.apply(writer.randomChanges(chunks: 60, using: &random)) }
        try cluster.restart(0)
        _ = cluster.metadata.wait { $0.isWhole }
        try writer.check()
    }

    @Test("A node that takes over a partition copies all of it; the one that lost it frees the space")
    func takeOver() throws {
        var random = SeededGenerator(seed: testSeed("takeOver"))
        let cluster = try TestCluster(nodes: 3, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let writer = ReplicatedWriter(cluster, client)
        for _ in 0..<30 { try writer.apply(writer.randomChanges(chunks: 60, using: &random)) }
        cluster.metadata.update { map in
            for index in map.partitions.indices {
                let missing = (1...3).first { node in map.partitions[index].state(of: NodeID(node)) == nil } ?? 1
                map.partitions[index].replicas.append(Replica(node: NodeID(missing), state: .syncing))
            }
            return Array(map.partitions.indices)
        }
        _ = cluster.metadata.wait { $0.isWhole }
        try writer.check()
        let map = cluster.metadata.update { map in
            for index in map.partitions.indices { map.partitions[index].replicas.removeFirst() }
            return Array(map.partitions.indices)
        }
        try writer.check()
        // Freed in the background: every node ends with its own chunks only.
        for (index, node) in cluster.nodes.enumerated() {
            let node = try #require(node)
            let id = NodeID(UInt32(index + 1))
            for partition in map.partitions.indices where map.partitions[partition].state(of: id) == nil {
                let deadline = ContinuousClock.now + .seconds(20)
                while try !node.store.scan(PartitionID(UInt16(partition)), after: nil, limit: 1).isEmpty {
                    try #require(ContinuousClock.now < deadline)
                }
            }
        }
    }

    @Test("A node stopped in order comes back with its identity and all it was told")
    func cleanStop() throws {
        var random = SeededGenerator(seed: testSeed("cleanStop"))
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let writer = ReplicatedWriter(cluster, client)
        for _ in 0..<10 { try writer.apply(writer.randomChanges(chunks: 20, using: &random)) }
        try cluster.nodes[0]?.stop()
        cluster.nodes[0] = nil
        _ = cluster.metadata.wait { $0.node(NodeID(1))?.isUp == false }
        try cluster.restart(0)
        #expect(cluster.nodes[0]?.store.wasShutDownCleanlyOrSameBoot == true)
        #expect(cluster.metadata.currentMap.nodes.count == 1)
        try writer.check()
    }
}
