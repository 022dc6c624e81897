import ShoalTypes

extension ClusterMap {
    /// Who should hold what: the assignment for the nodes as they are, closest to who holds it now.
    ///
    /// It is computed afresh when it is needed and never stored. That is stable: while nothing else changes, an
    /// assignment that adds nothing to the present replicas exists (the one that they were added for), so recomputing
    /// it never asks for a further move.
    private func target() -> [[NodeID]] {
        Placement.assign(
            partitionCount: partitions.count, replicaCount: Int(replicaCount), nodes: nodes,
            previous: partitions.map { $0.replicas.map(\.node) })
    }

    /// Adds the replicas that the target assignment wants and that are missing, then drops what can be spared.
    mutating func rebalance() {
        let target = target()
        let up = Set(nodes.filter(\.isUp).map(\.id))
        for index in partitions.indices {
            let isUnused = partitions[index].replicas.isEmpty
            for node in target[index] where partitions[index].state(of: node) == nil {
                // Nobody ever held an unused partition, so there is nothing to copy.
                let state: ReplicaState = isUnused ? .inSync : up.contains(node) ? .syncing : .stale
                partitions[index].replicas.append(Replica(node: node, state: state))
            }
            partitions[index].dropSurplus(target: target[index])
        }
    }

    /// Drops the replicas above the target wherever the target is in sync.
    mutating func dropSurplus() {
        guard partitions.contains(where: { $0.replicas.count > Int(replicaCount) }) else { return }
        let target = target()
        for index in partitions.indices { partitions[index].dropSurplus(target: target[index]) }
    }
}

extension PartitionAssignment {
    /// A surplus replica goes once every wanted one is in sync; earlier only if the partition has more than the wire
    /// format carries, and then the in-sync ones last, and never below the number wanted.
    fileprivate mutating func dropSurplus(target: [NodeID]) {
        guard !target.isEmpty else { return }
        if target.allSatisfy({ state(of: $0) == .inSync }) {
            replicas.removeAll { !target.contains($0.node) }
            return
        }
        for state in [ReplicaState.stale, .syncing, .inSync] {
            while replicas.count > ClusterMap.replicasMax,
                state != .inSync || inSync.count > target.count,
                let last = replicas.lastIndex(where: { $0.state == state && !target.contains($0.node) })
            {
                replicas.remove(at: last)
            }
        }
    }
}
