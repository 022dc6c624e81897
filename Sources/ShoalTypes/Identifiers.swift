/// A number with a meaning: distinct types, so that an inode is never passed where a session is wanted.
package protocol TypedNumber: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible
where RawValue: FixedWidthInteger & Sendable {
    init(rawValue: RawValue)
}

extension TypedNumber {
    package init(_ rawValue: RawValue) { self.init(rawValue: rawValue) }
    package static func < (lhs: Self, rhs: Self) -> Bool { lhs.rawValue < rhs.rawValue }
    package var description: String { "\(rawValue)" }
    /// The number that follows this one.
    package var next: Self { Self(rawValue: rawValue + 1) }
}

/// A file, directory, symlink or special file. 1 is the root; 0 is never a file.
package struct InodeID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static let root = InodeID(1)
}

/// The content of a file: chunks belong to a data ID, not to an inode, so that a truncation to zero or a replacement
/// changes the ID and no late write can reach the new content. 0 means "no content was ever written".
package struct DataID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static let none = DataID(0)
}

/// A mount or a command's connection to the cluster, from its opening to its end. 0 is never a session.
package struct SessionID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static let none = SessionID(0)
}

/// A storage node, numbered from 1 by the metadata server when it first registers.
package struct NodeID: TypedNumber {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// One of the cluster's `partitionCount` hash partitions, from 0.
package struct PartitionID: TypedNumber {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
}

/// The version of the cluster map. Every change of the map adds one. 0 means "no map yet".
package struct Epoch: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Orders the grants of leases: a later grant, of any inode, has a higher sequence, also after a restart of the
/// metadata server. Nodes refuse a write whose sequence is below that of the chunk.
package struct LeaseSequence: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static let none = LeaseSequence(0)
}

/// Counts the connections that a session has made to one node; bytes on an older one are refused.
package struct ConnectionGeneration: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names a cluster for good; chosen at random when its first metadata directory is made. 0 means "not known yet".
package struct ClusterID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static let unknown = ClusterID(0)
    package var description: String {
        let digits = String(rawValue, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// One chunk of a file's content: bytes `index * chunkBytes ..< (index + 1) * chunkBytes`.
package struct ChunkID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let data: DataID
    package let index: UInt32
    package init(data: DataID, index: UInt32) {
        self.data = data
        self.index = index
    }
    package static func < (lhs: ChunkID, rhs: ChunkID) -> Bool {
        (lhs.data.rawValue, lhs.index) < (rhs.data.rawValue, rhs.index)
    }
    package var description: String { "\(data).\(index)" }
}
