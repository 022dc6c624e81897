import ShoalTypes

extension ClusterMap {
    /// What holds after every change, in debug builds and simulation.
    package func checkInvariants() {
        assert(zip(nodes, nodes.dropFirst()).allSatisfy { $0.id < $1.id }, "nodes ascend by ID")
        assert(fenced.count <= Self.fencedMax, "the fenced sessions are bounded")
        for partition in partitions {
            assert(partition.changedAt <= epoch, "a partition changed at an epoch that was")
            assert(partition.replicas.count <= Self.replicasMax, "a partition's replicas fit a message")
            assert(Set(partition.replicas.map(\.node)).count == partition.replicas.count, "a node holds one replica")
            assert(partition.replicas.isEmpty || !partition.inSync.isEmpty, "a used partition has an in-sync replica")
        }
    }

    /// What one change may do to the map before it.
    func checkInvariants(after before: ClusterMap) {
        checkInvariants()
        assert(epoch == before.epoch.next, "one change is one epoch")
        assert(before.partitions.isEmpty || partitions.count == before.partitions.count, "the partition count is fixed")
        for (old, new) in zip(before.partitions, partitions) {
            assert(old.replicas.isEmpty || !new.inSync.isEmpty, "an in-sync replica is never the last to go")
        }
    }
}
