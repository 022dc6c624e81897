import ShoalPlacement
import ShoalTypes
import Testing

@Suite struct ClusterMapTests {
    private func threeNodes() -> ClusterMap {
        var map = ClusterMap(replicaCount: 2)
        for id in 1...3 {
            expectChanged(map.register(describe(id), isIntact: true, partitionCount: 12))
            syncAll(&map)
        }
        return map
    }

    /// Every syncing replica of an up node catches up.
    private func syncAll(_ map: inout ClusterMap) {
        for node in map.nodes where node.isUp {
            let syncing = map.partitions.indices.filter { map.partitions[$0].state(of: node.id) == .syncing }
            _ = map.markSynced(node.id, partitions: syncing.map { PartitionID(UInt16($0)) })
        }
    }

    private func expectChanged(_ isChanged: Bool, at location: SourceLocation = #_sourceLocation) {
        #expect(isChanged, sourceLocation: location)
    }

    private func expectUnchanged(
        _ isChanged: Bool, _ comment: Comment? = nil, at location: SourceLocation = #_sourceLocation
    ) {
        #expect(!isChanged, comment, sourceLocation: location)
    }

    @Test("The first node is in sync at once; the next starts as syncing and shares evenly once in sync")
    func join() {
        var map = ClusterMap(replicaCount: 2)
        expectChanged(map.register(describe(1), isIntact: true, partitionCount: 12))
        #expect(map.epoch == Epoch(1))
        #expect(map.partitions.allSatisfy { $0.replicas == [Replica(node: NodeID(1), state: .inSync)] })
        expectChanged(map.register(describe(2), isIntact: true))
        #expect(map.partitions.allSatisfy { $0.replicas.last == Replica(node: NodeID(2), state: .syncing) })
        #expect(map.partitions.allSatisfy { $0.changedAt == Epoch(2) })
        expectUnchanged(map.register(describe(2), isIntact: true), "registering again changes nothing")
        let full = threeNodes()
        #expect(full.partitions.allSatisfy { $0.inSync.count == 2 && $0.replicas.count == 2 })
        #expect(counts(full.partitions.map(\.inSync)) == [NodeID(1): 8, NodeID(2): 8, NodeID(3): 8])
    }

    @Test("A joining node's predecessor stays until the new replica is in sync")
    func handOver() {
        var map = threeNodes()
        _ = map.register(describe(4), isIntact: true)
        for index in map.partitions.indices where map.partitions[index].state(of: NodeID(4)) != nil {
            #expect(map.partitions[index].inSync.count == 2 && map.partitions[index].replicas.count == 3)
            expectChanged(map.markSynced(NodeID(4), partitions: [PartitionID(UInt16(index))]))
            #expect(map.partitions[index].inSync.count == 2 && map.partitions[index].replicas.count == 2)
            #expect(map.partitions[index].changedAt == map.epoch)
        }
        #expect(counts(map.partitions.map(\.inSync)).values.allSatisfy { $0 == 6 })
    }

    @Test("A lost node's replicas become stale and, when it returns, syncing; the last in-sync replica never does")
    func lossAndReturn() {
        var map = threeNodes()
        expectChanged(map.markDown(NodeID(1)))
        expectUnchanged(map.markDown(NodeID(1)))
        #expect(map.partitions.allSatisfy { $0.state(of: NodeID(1)) != .inSync })
        expectChanged(map.markDown(NodeID(2)))
        for partition in map.partitions where partition.state(of: NodeID(3)) == nil {
            #expect(partition.inSync == [NodeID(2)], "the last one stays, though it is down")
        }
        expectChanged(map.register(describe(2), isIntact: false))
        expectChanged(map.register(describe(1), isIntact: false))
        for partition in map.partitions where partition.state(of: NodeID(1)) != nil {
            #expect(partition.state(of: NodeID(1)) == .syncing)
        }
        syncAll(&map)
        #expect(map.partitions.allSatisfy { $0.inSync.count == 2 })
    }

    @Test("A node that may have lost writes syncs again where another is in sync")
    func notIntact() {
        var map = threeNodes()
        expectChanged(map.register(describe(1), isIntact: false))
        for partition in map.partitions where partition.state(of: NodeID(1)) != nil {
            #expect(partition.state(of: NodeID(1)) == .syncing && partition.inSync.count == 1)
        }
    }

    @Test("After the grace period others take over, and the node gets its share back when it returns")
    func replacement() {
        var map = threeNodes()
        expectUnchanged(map.replace(down: NodeID(1)), "it is up")
        _ = map.markDown(NodeID(1))
        expectChanged(map.replace(down: NodeID(1)))
        expectUnchanged(map.replace(down: NodeID(1)))
        syncAll(&map)
        #expect(map.partitions.allSatisfy { $0.inSync.count == 2 && $0.state(of: NodeID(1)) == nil })
        expectChanged(map.register(describe(1), isIntact: true))
        syncAll(&map)
        #expect(counts(map.partitions.map(\.inSync)).values.allSatisfy { $0 == 8 })
    }

    @Test("A fence is one epoch, once, touches no partition, and the oldest of too many is forgotten")
    func fences() {
        var map = threeNodes()
        let before = map
        expectChanged(map.fence(SessionID(1)))
        #expect(map.epoch == before.epoch.next && map.partitions == before.partitions)
        expectUnchanged(map.fence(SessionID(1)))
        for id in 2...ClusterMap.fencedMax + 1 { _ = map.fence(SessionID(UInt64(id))) }
        #expect(map.fenced.count == ClusterMap.fencedMax && map.fenced.first == SessionID(2))
    }
}
