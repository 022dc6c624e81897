import ShoalTypes

extension ClusterMap {
    /// Runs `body` on a copy of the partitions and the rest of the map; if that changed anything, the epoch grows by
    /// one and the partitions that changed carry it. Returns whether anything changed.
    ///
    /// Every public mutation is one call of this, so that one event is one epoch.
    mutating func change(_ body: (inout ClusterMap) -> Void) -> Bool {
        let before = self
        body(&self)
        guard self != before else { return false }
        epoch = before.epoch.next
        for index in partitions.indices
        where index >= before.partitions.count || partitions[index].replicas != before.partitions[index].replicas {
            partitions[index].changedAt = epoch
        }
        checkInvariants(after: before)
        return true
    }

    /// Sets the state of a node's replica in every partition where `next` says so.
    mutating func changeReplicas(of node: NodeID, _ next: (PartitionAssignment, ReplicaState) -> ReplicaState) {
        for index in partitions.indices {
            guard let at = partitions[index].replicas.firstIndex(where: { $0.node == node }) else { continue }
            partitions[index].replicas[at].state = next(partitions[index], partitions[index].replicas[at].state)
        }
    }
}

extension PartitionAssignment {
    /// Whether another node than `node` has an in-sync replica.
    func isInSync(without node: NodeID) -> Bool {
        replicas.contains { $0.node != node && $0.state == .inSync }
    }
}
