import ShoalTypes
import ShoalWire

/// Names the cluster this store belongs to. Written once, when the cluster is made.
/// Layout after the format byte (the version of the whole store): clusterID u64, time of making.
package struct Superblock: StoredRecord, Equatable {
    package var cluster = ClusterID.unknown
    package var formattedAt = Timestamp()
    package init() {}
    package init(cluster: ClusterID, formattedAt: Timestamp) {
        self.cluster = cluster
        self.formattedAt = formattedAt
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&cluster)
        coder.timestamp(&formattedAt)
    }
}

/// How many inodes there are, orphans and the root included. Layout after the format byte: count u64.
package struct InodeCount: StoredRecord, Equatable {
    package var count: UInt64 = 0
    package init() {}
    package init(_ count: UInt64) { self.count = count }
    package mutating func code(_ coder: inout WireCoder) { coder.integer(&count) }
}

/// How often a leader has started on this store. Layout after the format byte: count u64.
package struct RestartCount: StoredRecord, Equatable {
    package var count: UInt64 = 0
    package init() {}
    package init(_ count: UInt64) { self.count = count }
    package mutating func code(_ coder: inout WireCoder) { coder.integer(&count) }
}
