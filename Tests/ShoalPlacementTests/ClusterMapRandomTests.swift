import ShoalPlacement
import ShoalTypes
import Testing
import ShoalTestSupport

/// Random histories of a cluster; the laws hold after every step, and in the end it heals.
@Suite struct ClusterMapRandomTests {
    @Test("Under any sequence of events a partition keeps an in-sync replica and nothing in sync goes unreplaced")
    func randomHistories() {
        let seed = testSeed("randomHistories")
        for round in 0..<30 {
            var history = History(seed: seed &+ UInt64(round))
            for _ in 0..<120 { history.step() }
            history.heal()
        }
    }
}

private struct History {
    private var random: SplitMix64
    private let seed: UInt64
    private let replicas: Int
    private var map: ClusterMap

    init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(seed: seed)
        replicas = Int.random(in: 1...3, using: &random)
        map = ClusterMap(replicaCount: UInt8(replicas))
    }

    mutating func step() {
        let before = map
        let node = NodeID(UInt32.random(in: 1...7, using: &random))
        let isChanged: Bool
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            let description = describe(
                Int(node.rawValue), zone: "z\(node.rawValue % 4)", weight: [1, 1, 2, 5].randomElement(using: &random)!)
            isChanged = map.register(description, isIntact: Bool.random(using: &random), partitionCount: 16)
        case 2: isChanged = map.markDown(node)
        case 3: isChanged = map.beginSync(node)
        case 4: isChanged = map.replace(down: node)
        case 5: isChanged = map.fence(SessionID(.random(in: 1...20, using: &random)))
        default: isChanged = map.markSynced(node, partitions: somePartitions())
        }
        check(before, isChanged)
    }

    private mutating func somePartitions() -> [PartitionID] {
        (0..<20).filter { _ in Bool.random(using: &random) }.map { PartitionID($0) }
    }

    private func check(_ before: ClusterMap, _ isChanged: Bool) {
        let context: Comment = "seed \(seed) epoch \(map.epoch)"
        map.checkInvariants()
        #expect(isChanged == (map != before), context)
        #expect(map.epoch == (isChanged ? before.epoch.next : before.epoch), context)
        let up = Set(map.nodes.filter(\.isUp).map(\.id))
        for (old, new) in zip(before.partitions, map.partitions) {
            #expect(new.changedAt == (new.replicas != old.replicas ? map.epoch : old.changedAt), context)
            #expect(old.replicas.isEmpty || !new.inSync.isEmpty, context)
            for node in old.inSync where new.state(of: node) == nil {
                #expect(new.inSync.count >= min(replicas, map.nodes.count { $0.weight > 0 }), context)
            }
            for node in new.inSync where !old.inSync.contains(node) && !old.replicas.isEmpty {
                #expect(old.state(of: node) == .syncing, "only what was syncing gets in sync: \(context)")
            }
            for replica in new.replicas where !up.contains(replica.node) {
                #expect(
                    replica.state == .stale || new.inSync == [replica.node], "down is stale or the last: \(context)")
            }
        }
    }

    /// Everybody returns and catches up: then the cluster is whole and stays as it is.
    mutating func heal() {
        for id in 1...7 { _ = map.register(describe(id, zone: "z\(id % 4)"), isIntact: true, partitionCount: 16) }
        let all = (0..<16).map { PartitionID($0) }
        for _ in 0..<2 { for node in map.nodes { _ = map.markSynced(node.id, partitions: all) } }
        for partition in map.partitions {
            #expect(partition.inSync.count == replicas && partition.replicas.count == replicas, "seed \(seed)")
        }
        let target = Placement.assign(
            partitionCount: 16, replicaCount: replicas, nodes: map.nodes, previous: map.partitions.map(\.inSync))
        #expect(target == map.partitions.map(\.inSync), "balanced already: seed \(seed)")
    }
}
