import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: storage nodes")
struct CoordinatorNodeTests {
    /// A storage node's side of its connection to the leader.
    final class Node {
        let harness: CoordinatorHarness
        private(set) var id = NodeID(0)
        private(set) var connection: ConnectionID
        var isIntact = true

        init(_ harness: CoordinatorHarness, registers: Bool = true) throws {
            self.harness = harness
            connection = harness.connect(.node)
            if registers { try register() }
        }
        func reconnect() { connection = harness.connect(.node) }

        var registration: RegisterNodeRequest {
            var message = RegisterNodeRequest()
            message.node = id
            message.cluster = id == NodeID(0) ? .unknown : ClusterID(7)
            message.address = "127.0.0.1:7001"
            message.isIntact = isIntact
            message.usage.bytesTotal = 1000
            message.usage.bytesFree = 600
            return message
        }
        func register() throws {
            let request = harness.send(.registerNode, registration, on: connection)
            id = try harness.reply(request, as: RegisterNodeReply.self).node
        }
        @discardableResult
        func heartbeat() -> RequestID {
            harness.send(.nodeHeartbeat, NodeHeartbeatRequest(node: id, usage: registration.usage), on: connection)
        }
        func synced() {
            let map = harness.core.map
            let mine = map.partitions.indices.filter { map.partitions[$0].state(of: id) == .syncing }
            let message = PartitionsSyncedRequest(
                node: id, epoch: map.epoch, partitions: mine.map { PartitionID(UInt16($0)) })
            harness.send(.partitionsSynced, message, on: connection)
        }
        func states() -> Set<ReplicaState> {
            Set(harness.core.map.partitions.compactMap { $0.state(of: id) })
        }
        /// Answers every deletion there is; returns the chunks.
        func deleteChunks(succeeding: Bool = true) -> [ChunkID] {
            harness.takeQuestions(connection).flatMap { question, what -> [ChunkID] in
                guard case .deleteChunks(let message) = what else { return [] }
                if succeeding { harness.answer(question, Empty()) } else { harness.fail(question) }
                return message.chunks
            }
        }
    }

    private func pair(_ harness: CoordinatorHarness) throws -> (Node, Node) {
        let (first, second) = (try Node(harness), try Node(harness))
        second.synced()
        return (first, second)
    }

    @Test("a map is published and nodes are answered only once it is durable")
    func durableFirst() throws {
        let harness = try CoordinatorHarness()
        harness.holdsSyncs = true
        let node = try Node(harness, registers: false)
        let request = harness.send(.registerNode, node.registration, on: node.connection)
        #expect(harness.status(request) == nil)
        #expect(harness.core.map.epoch == Epoch(0))
        harness.holdsSyncs = false
        let reply = try harness.reply(request, as: RegisterNodeReply.self)
        #expect(reply.node == NodeID(1))
        #expect(reply.map.epoch == Epoch(1))
        #expect(reply.map.partitions.count == 16)
        #expect(harness.published.map(\.epoch) == [Epoch(1)])
        try harness.restart()
        #expect(harness.core.map == reply.map)
    }

    @Test("many changes during one sync share the next")
    func batching() throws {
        let harness = try CoordinatorHarness()
        harness.holdsSyncs = true
        for _ in 0..<5 {
            let node = try Node(harness, registers: false)
            harness.send(.registerNode, node.registration, on: node.connection)
        }
        harness.holdsSyncs = false
        #expect(harness.published.count == 2)
    }

    @Test("a node whose connection is lost for longer than the grace is stale; back again it must catch up")
    func lostNode() throws {
        let harness = try CoordinatorHarness()
        let (first, second) = try pair(harness)
        #expect(second.states() == [.inSync])
        let epoch = harness.core.map.epoch
        harness.disconnect(second.connection)
        harness.advance(by: .milliseconds(200))
        second.reconnect()
        try second.register()
        harness.advance(by: .seconds(1))
        #expect(harness.core.map.epoch == epoch)
        harness.disconnect(second.connection)
        harness.advance(by: .milliseconds(400))
        #expect(second.states() == [.stale])
        #expect(first.states() == [.inSync])
        second.reconnect()
        try second.register()
        #expect(second.states() == [.syncing])
        second.synced()
        #expect(second.states() == [.inSync])
    }

    @Test("the last replica in sync stays, whatever happens to its node")
    func lastReplica() throws {
        let harness = try CoordinatorHarness()
        let (first, second) = try pair(harness)
        harness.disconnect(second.connection)
        harness.advance(by: .seconds(1))
        harness.disconnect(first.connection)
        harness.advance(by: .seconds(1))
        #expect(first.states() == [.inSync])
    }

    @Test("a connected node that sends no heartbeats is taken out")
    func silentNode() throws {
        let harness = try CoordinatorHarness()
        let (first, second) = try pair(harness)
        for _ in 0..<6 {
            first.heartbeat()
            harness.advance(by: .seconds(1))
        }
        #expect(second.states() == [.stale])
        #expect(harness.closed.contains(second.connection))
        #expect(harness.status(second.heartbeat()) == .unknownSession)
    }

    @Test("a node that a client reports is taken out before the client is answered, and may come back")
    func reportedNode() throws {
        let harness = try CoordinatorHarness()
        let (first, second) = try pair(harness)
        let client = try CoordinatorClient(harness)
        let epoch = harness.core.map.epoch
        let report = ReportNodeRequest(node: second.id, epoch: epoch, partition: PartitionID(3))
        harness.holdsSyncs = true
        let request = client.send(.reportNode, report)
        #expect(harness.status(request) == nil)
        harness.holdsSyncs = false
        let map = try harness.reply(request, as: MapMessage.self).map
        #expect(map[PartitionID(3)].inSync == [first.id])
        // A report made under the map before that changes nothing.
        #expect(try harness.reply(client.send(.reportNode, report), as: MapMessage.self).map.epoch == map.epoch)
        // Nor can the last one be spared.
        let last = ReportNodeRequest(node: first.id, epoch: map.epoch, partition: PartitionID(3))
        #expect(try harness.reply(client.send(.reportNode, last), as: MapMessage.self).map.epoch == map.epoch)
        harness.advance(by: .milliseconds(500))
        second.heartbeat()
        #expect(second.states() == [.stale])
        harness.advance(by: .milliseconds(700))
        #expect(second.states() == [.syncing])
    }

    @Test("what a node caught up with before it was out does not count after")
    func staleSynced() throws {
        let harness = try CoordinatorHarness()
        let (_, second) = try pair(harness)
        harness.disconnect(second.connection)
        harness.advance(by: .seconds(1))
        let old = harness.core.map.epoch
        second.reconnect()
        try second.register()
        let all = (0..<16).map { PartitionID(UInt16($0)) }
        let message = PartitionsSyncedRequest(node: second.id, epoch: old, partitions: all)
        harness.send(.partitionsSynced, message, on: second.connection)
        #expect(second.states() == [.syncing])
    }

    @Test("a node of another cluster, or one that this cluster never had, is refused")
    func foreignNode() throws {
        let harness = try CoordinatorHarness()
        let node = try Node(harness, registers: false)
        var message = node.registration
        message.cluster = ClusterID(8)
        #expect(harness.status(harness.send(.registerNode, message, on: node.connection)) == .wrongCluster)
        message.cluster = ClusterID(7)
        message.node = NodeID(5)
        #expect(harness.status(harness.send(.registerNode, message, on: node.connection)) == .wrongCluster)
    }

    @Test("a node that stays down is replaced")
    func replacement() throws {
        let harness = try CoordinatorHarness()
        let (first, second) = try pair(harness)
        let third = try Node(harness)
        third.synced()
        harness.disconnect(second.connection)
        for _ in 0..<601 {
            first.heartbeat()
            third.heartbeat()
            harness.advance(by: .seconds(1))
        }
        third.synced()
        first.synced()
        #expect(second.states().isEmpty)
        #expect(harness.events.contains(.nodeReplaced(second.id)))
    }

    @Test("chunks of removed files are deleted on every node that holds them; what failed is tried again")
    func reclaim() throws {
        let harness = try CoordinatorHarness()
        let (first, second) = try pair(harness)
        let client = try CoordinatorClient(harness)
        // The last has more chunks than one round asks for: it is named as a whole.
        let chunkCounts: [UInt64] = [1000, 1000, 1000, 3_000_000]
        for (number, count) in chunkCounts.enumerated() {
            let created = try client.create("f\(number)", opensForWriting: true)
            _ = client.commit(created.attributes.inode, created.grant, size: count << 22, reserved: count << 22)
            _ = client.unlink("f\(number)", unused: created.attributes.inode)
        }
        #expect(try harness.count(.reclaim) == 4)
        var deleted: [Node: [ChunkID]] = [:]
        for round in 0..<40 where try harness.count(.reclaim) > 0 {
            for node in [first, second] {
                node.heartbeat()
                let chunks = node.deleteChunks(succeeding: round != 1)
                #expect(chunks.count <= 1024)
                if round != 1 { deleted[node, default: []] += chunks }
            }
            if round == 5 {
                try harness.restart()
                client.reconnect()
                client.reclaim()
                for node in [first, second] {
                    node.reconnect()
                    try node.register()
                }
            }
            client.live(for: .milliseconds(500))
        }
        #expect(try harness.count(.reclaim) == 0)
        for node in [first, second] {
            let whole = (deleted[node] ?? []).filter { $0.index == ChunkListRequest.everyIndex }
            #expect(Set(whole).count == 1)
            #expect(Set(deleted[node] ?? []).count == 3001)
        }
    }

    @Test("old content that is queued while newer content keeps coming is deleted within two pauses")
    func reclaimOld() throws {
        let harness = try CoordinatorHarness()
        let (first, second) = try pair(harness)
        let client = try CoordinatorClient(harness)
        var files = try (0..<40).map { number in
            let created = try client.create("f\(number)", opensForWriting: true)
            _ = client.commit(created.attributes.inode, created.grant, size: 1, reserved: 1)
            return (name: "f\(number)", inode: created.attributes.inode)
        }
        let oldest = files.removeFirst()
        var rounds = 0
        for file in files {
            _ = client.unlink(file.name, unused: file.inode)
            // With the second round: the first is past it then.
            if rounds == 1 { _ = client.unlink(oldest.name, unused: oldest.inode) }
            client.live(for: .milliseconds(100))
            for node in [first, second] {
                node.heartbeat()
                if node.deleteChunks(succeeding: true).contains(where: { $0.data == DataID(1) }) { return }
            }
            rounds += 1
            #expect(rounds < 22)
        }
        Issue.record("the oldest content was never deleted")
    }

    @Test("status shows nodes, sessions and counts")
    func status() throws {
        let harness = try CoordinatorHarness()
        _ = try pair(harness)
        let client = try CoordinatorClient(harness)
        _ = try client.create("f")
        let command = harness.connect(.command)
        let status = try harness.reply(harness.send(.clusterStatus, Empty(), on: command), as: ClusterStatusReply.self)
        #expect(status.cluster == ClusterID(7))
        #expect(status.usages.map(\.usage.bytesTotal) == [1000, 1000])
        #expect(status.sessions.map(\.leases) == [2])
        #expect(status.inodes == 2)
        let space = try harness.reply(
            client.send(.statFileSystem, InodeRequest(caller: client.reader, inode: .root)),
            as: FileSystemStatistics.self)
        #expect(space == FileSystemStatistics(bytesTotal: 1000, bytesFree: 600, inodesUsed: 2))
    }
}

extension CoordinatorNodeTests.Node: Hashable {
    static func == (lhs: CoordinatorNodeTests.Node, rhs: CoordinatorNodeTests.Node) -> Bool { lhs === rhs }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
