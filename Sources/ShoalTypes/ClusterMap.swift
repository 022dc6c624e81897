/// The state of one replica of one partition.
package enum ReplicaState: UInt8, Sendable, CaseIterable {
    /// Holds every acknowledged write; serves reads.
    case inSync = 0
    /// Receives new writes and copies what it missed; serves no reads.
    case syncing = 1
    /// Out: neither written nor read.
    case stale = 2
}

/// One replica of a partition.
package struct Replica: Hashable, Sendable {
    package var node: NodeID
    package var state: ReplicaState
    package init(node: NodeID, state: ReplicaState) {
        self.node = node
        self.state = state
    }
}

/// The ordered replicas of one partition; the first in-sync one decides where replicas differ.
package struct PartitionAssignment: Hashable, Sendable {
    package var replicas: [Replica]
    /// The epoch at which this partition last changed; nodes refuse requests that carry an older one.
    package var changedAt: Epoch
    package init(replicas: [Replica] = [], changedAt: Epoch = Epoch(0)) {
        self.replicas = replicas
        self.changedAt = changedAt
    }
    package var inSync: [NodeID] { replicas.filter { $0.state == .inSync }.map(\.node) }
    /// Where a write must go: the in-sync and the syncing replicas, in order.
    package var writable: [Replica] { replicas.filter { $0.state != .stale } }
    package func state(of node: NodeID) -> ReplicaState? { replicas.first { $0.node == node }?.state }
}

/// Where a node is and what it offers.
package struct NodeDescription: Hashable, Sendable {
    package var id: NodeID
    /// `HOST:PORT` of the node's listener.
    package var address: String
    /// Failure zone; replicas go to distinct zones while there are enough.
    package var zone: String
    /// Share of partitions relative to the other nodes; 0 takes none.
    package var weight: Double
    /// False from the moment the leader lost the node until it registers again.
    package var isUp: Bool
    package init(id: NodeID, address: String, zone: String, weight: Double, isUp: Bool) {
        self.id = id
        self.address = address
        self.zone = zone
        self.weight = weight
        self.isUp = isUp
    }
}

/// The cluster's nodes, who holds which partition, and which sessions are fenced. Changed only by the metadata leader,
/// durable before it is published.
package struct ClusterMap: Hashable, Sendable {
    package var epoch: Epoch
    package var replicaCount: UInt8
    package var nodes: [NodeDescription]
    /// Indexed by partition; the count is fixed when the cluster is made. Empty until the first node registers.
    package var partitions: [PartitionAssignment]
    /// Sessions that ended without a goodbye, oldest first; nodes refuse their writes. At most `fencedMax`.
    package var fenced: [SessionID]
    package static let fencedMax = 4096

    package init(
        epoch: Epoch = Epoch(0), replicaCount: UInt8 = 2, nodes: [NodeDescription] = [],
        partitions: [PartitionAssignment] = [], fenced: [SessionID] = []
    ) {
        self.epoch = epoch
        self.replicaCount = replicaCount
        self.nodes = nodes
        self.partitions = partitions
        self.fenced = fenced
    }

    package func node(_ id: NodeID) -> NodeDescription? { nodes.first { $0.id == id } }
    package subscript(partition: PartitionID) -> PartitionAssignment { partitions[Int(partition.rawValue)] }

    /// `hash(dataID, index) mod partitionCount`; the hash is `ChunkID.placementHash`. Undefined on an empty map.
    package func partition(of chunk: ChunkID) -> PartitionID {
        PartitionID(UInt16(truncatingIfNeeded: chunk.placementHash % UInt64(partitions.count)))
    }
}

extension ChunkID {
    /// A fixed 64-bit mix of the ID (the finalizer of SplitMix64, Steele et al. 2014, over both parts). Part of the
    /// on-disk format: changing it moves every chunk.
    package var placementHash: UInt64 {
        func mix(_ value: UInt64) -> UInt64 {
            var z = value &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        return mix(mix(data.rawValue) ^ UInt64(index))
    }
}
