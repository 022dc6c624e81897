import ShoalTypes

extension ClusterMap {
    /// A node has caught up with these partitions: its syncing replicas become in-sync. Partitions of which it has no
    /// syncing replica (any more) are ignored. Then the replicas that the target assignment does not want are dropped
    /// where all that it wants are in sync. Returns whether the map changed.
    ///
    /// A node that is down kept its in-sync replica only while that was the last one; with the new one it becomes
    /// stale.
    package mutating func markSynced(_ node: NodeID, partitions synced: [PartitionID]) -> Bool {
        change { map in
            let down = Set(map.nodes.filter { !$0.isUp }.map(\.id))
            var isChanged = false
            for partition in synced where Int(partition.rawValue) < map.partitions.count {
                let index = Int(partition.rawValue)
                guard let at = map.partitions[index].replicas.firstIndex(of: Replica(node: node, state: .syncing))
                else {
                    continue
                }
                map.partitions[index].replicas[at].state = .inSync
                isChanged = true
                for other in map.partitions[index].replicas.indices
                where map.partitions[index].replicas[other].state == .inSync
                    && down.contains(map.partitions[index].replicas[other].node)
                {
                    map.partitions[index].replicas[other].state = .stale
                }
            }
            if isChanged { map.dropSurplus() }
        }
    }
}
