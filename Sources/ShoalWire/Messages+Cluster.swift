import ShoalTypes

/// A node announces itself. Reply: `RegisterNodeReply`; `.wrongCluster` if its directory belongs to another cluster.
package struct RegisterNodeRequest: WireMessage, Equatable {
    /// 0 the first time.
    package var node = NodeID(0)
    package var cluster = ClusterID.unknown
    package var address = ""
    package var zone = ""
    package var weight = 1.0
    package var usage = NodeUsage()
    /// No acknowledged write can be missing from the store: it was shut down in order, or the machine has not restarted
    /// since.
    package var isIntact = true
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&node)
        coder.number(&cluster)
        coder.string(&address, max: 512)
        coder.string(&zone, max: 255)
        coder.double(&weight)
        usage.code(&coder)
        coder.boolean(&isIntact)
    }
}

package struct RegisterNodeReply: WireMessage, Equatable {
    package var node = NodeID(0)
    package var cluster = ClusterID.unknown
    package var heartbeatMilliseconds: UInt32 = 1000
    package var map = ClusterMap()
    package init() {}
    package init(node: NodeID, cluster: ClusterID, heartbeatMilliseconds: UInt32, map: ClusterMap) {
        self.node = node
        self.cluster = cluster
        self.heartbeatMilliseconds = heartbeatMilliseconds
        self.map = map
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&node)
        coder.number(&cluster)
        coder.integer(&heartbeatMilliseconds)
        coder.clusterMap(&map)
    }
}

/// What a node holds and has done since it started.
package struct NodeUsage: WireMessage, Equatable {
    package var bytesTotal: UInt64 = 0
    package var bytesFree: UInt64 = 0
    package var chunks: UInt64 = 0
    package var reads: UInt64 = 0
    package var writes: UInt64 = 0
    package var bytesRead: UInt64 = 0
    package var bytesWritten: UInt64 = 0
    package var requestsPerSecond: Double = 0
    /// Chunks found bad by their checksums, and those mended from another replica.
    package var corruptChunks: UInt64 = 0
    package var repairedChunks: UInt64 = 0
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&bytesTotal)
        coder.integer(&bytesFree)
        coder.integer(&chunks)
        coder.integer(&reads)
        coder.integer(&writes)
        coder.integer(&bytesRead)
        coder.integer(&bytesWritten)
        coder.double(&requestsPerSecond)
        coder.integer(&corruptChunks)
        coder.integer(&repairedChunks)
    }
}

package struct NodeHeartbeatRequest: WireMessage, Equatable {
    package var node = NodeID(0)
    package var usage = NodeUsage()
    package init() {}
    package init(node: NodeID, usage: NodeUsage) {
        self.node = node
        self.usage = usage
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&node)
        usage.code(&coder)
    }
}

/// A syncing node has caught up with these partitions, under the map of this epoch.
package struct PartitionsSyncedRequest: WireMessage, Equatable {
    package var node = NodeID(0)
    package var epoch = Epoch(0)
    package var partitions: [PartitionID] = []
    package init() {}
    package init(node: NodeID, epoch: Epoch, partitions: [PartitionID]) {
        self.node = node
        self.epoch = epoch
        self.partitions = partitions
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&node)
        coder.number(&epoch)
        coder.list(&partitions, max: 65_535, minimumBytes: 2, blank: PartitionID(0)) { $0.number(&$1) }
    }
}

package struct NodeRequest: WireMessage, Equatable {
    package var node = NodeID(0)
    package init() {}
    package init(node: NodeID) { self.node = node }
    package mutating func code(_ coder: inout WireCoder) { coder.number(&node) }
}

/// Everything `shoal status` shows.
package struct ClusterStatusReply: WireMessage, Equatable {
    package struct Node: Hashable, Sendable {
        package var id = NodeID(0)
        package var usage = NodeUsage()
        package init() {}
        package static func == (lhs: Self, rhs: Self) -> Bool { lhs.id == rhs.id && lhs.usage == rhs.usage }
        package func hash(into hasher: inout Hasher) { hasher.combine(id) }
    }
    package struct Session: Hashable, Sendable {
        package var id = SessionID.none
        package var label = ""
        package var leases: UInt32 = 0
        /// Milliseconds since its last heartbeat.
        package var silentMilliseconds: UInt32 = 0
        package init() {}
    }
    package var cluster = ClusterID.unknown
    package var map = ClusterMap()
    package var usages: [Node] = []
    package var sessions: [Session] = []
    package var inodes: UInt64 = 0
    /// Requests per second that the metadata server answered over the last seconds, and all since it started.
    package var requestsPerSecond: Double = 0
    package var requests: UInt64 = 0
    /// Data IDs that wait for their chunks to be deleted.
    package var reclaimQueue: UInt64 = 0
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&cluster)
        coder.clusterMap(&map)
        coder.list(&usages, max: 4096, minimumBytes: 84, blank: Node()) { coder, node in
            coder.number(&node.id)
            node.usage.code(&coder)
        }
        coder.list(&sessions, max: 65_536, minimumBytes: 20, blank: Session()) { coder, session in
            coder.number(&session.id)
            coder.string(&session.label, max: 4096)
            coder.integer(&session.leases)
            coder.integer(&session.silentMilliseconds)
        }
        coder.integer(&inodes)
        coder.double(&requestsPerSecond)
        coder.integer(&requests)
        coder.integer(&reclaimQueue)
    }
}
