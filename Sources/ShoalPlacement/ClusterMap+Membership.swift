import ShoalTypes

extension ClusterMap {
    /// The most replicas, wanted and surplus, that a partition has at any time (a limit of the wire format).
    package static let replicasMax = 16

    /// A node announces itself. Returns whether the map changed.
    ///
    /// A new node is given its share. Where nobody holds a partition yet it is in sync at once, as there is no data;
    /// elsewhere it starts as syncing and the replica that it takes over from stays until it is in sync.
    ///
    /// A known node's address, zone and weight are updated and it counts as up. Its stale replicas become syncing. If
    /// the store may have lost acknowledged writes (`isIntact` false), so do the in-sync ones that somebody else has in
    /// sync; where it is the only one, what it has is the best there is.
    ///
    /// - Parameter partitionCount: Used by the first node of a cluster only; the count never changes.
    package mutating func register(
        _ node: NodeDescription, isIntact: Bool, partitionCount: Int = Geometry.partitionCountDefault
    ) -> Bool {
        change { map in
            var node = node
            node.isUp = true
            // From the wire. Not a number above zero takes no partitions; and NaN would differ from itself.
            node.weight = node.weight > 0 ? min(node.weight, .greatestFiniteMagnitude) : 0
            if map.partitions.isEmpty {
                map.partitions = [PartitionAssignment](repeating: PartitionAssignment(), count: partitionCount)
            }
            guard let index = map.nodes.firstIndex(where: { $0.id == node.id }) else {
                map.nodes.insert(node, at: map.nodes.firstIndex { $0.id > node.id } ?? map.nodes.endIndex)
                map.rebalance()
                return
            }
            let known = map.nodes[index]
            map.nodes[index] = node
            map.changeReplicas(of: node.id) { partition, state in
                switch state {
                case .stale: .syncing
                case .inSync: isIntact || !partition.isInSync(without: node.id) ? .inSync : .syncing
                case .syncing: .syncing
                }
            }
            if known.zone != node.zone || known.weight != node.weight { map.rebalance() }
        }
    }

    /// The leader lost the node, or it was reported. Its replicas become stale, except where it has a partition's last
    /// in-sync one: that stays, and its callers wait for the node. Returns whether the map changed.
    package mutating func markDown(_ node: NodeID) -> Bool {
        change { map in
            guard let index = map.nodes.firstIndex(where: { $0.id == node }) else { return }
            map.nodes[index].isUp = false
            map.changeReplicas(of: node) { partition, state in
                state == .inSync && !partition.isInSync(without: node) ? .inSync : .stale
            }
        }
    }

    /// A node that was reported, but never lost its connection to the leader, is let in again: it counts as up and its
    /// stale replicas become syncing. Returns whether the map changed.
    package mutating func beginSync(_ node: NodeID) -> Bool {
        change { map in
            guard let index = map.nodes.firstIndex(where: { $0.id == node }) else { return }
            map.nodes[index].isUp = true
            map.changeReplicas(of: node) { _, state in state == .stale ? .syncing : state }
        }
    }

    /// The node has been down for longer than the grace period: others take over its partitions, as syncing replicas.
    /// Its weight becomes 0, which says that it takes no partitions until it registers again. Its own replicas go when
    /// their replacements are in sync. No effect on a node that is up. Returns whether the map changed.
    package mutating func replace(down node: NodeID) -> Bool {
        change { map in
            guard let index = map.nodes.firstIndex(where: { $0.id == node }) else { return }
            guard !map.nodes[index].isUp, map.nodes[index].weight != 0 else { return }
            map.nodes[index].weight = 0
            map.rebalance()
        }
    }
}
