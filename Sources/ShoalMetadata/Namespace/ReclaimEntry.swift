import ShoalTypes
import ShoalWire

/// Content that no inode refers to; its chunks wait to be deleted on the nodes.
/// Layout after the format byte: firstChunk u64, chunkCount u64, chunkBytesLog2 u8.
package struct ReclaimEntry: StoredRecord, Hashable {
    /// In the key.
    package var data = DataID.none
    /// Chunks below this index are gone already.
    package var firstChunk: UInt64 = 0
    /// Chunks at and above this index were never written; at most 2^32.
    package var chunkCount: UInt64 = 0
    package var chunkBytesLog2 = Geometry.chunkBytesLog2Default
    package init() {}
    package init(data: DataID, chunkCount: UInt64, chunkBytesLog2: UInt8) {
        self.data = data
        self.chunkCount = chunkCount
        self.chunkBytesLog2 = chunkBytesLog2
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&firstChunk)
        coder.integer(&chunkCount)
        coder.integer(&chunkBytesLog2)
        if chunkCount > 1 << 32 || firstChunk > chunkCount { coder.fail() }
    }
}

/// Marks an inode without a name. No fields: the inode's record holds everything.
package struct OrphanRecord: StoredRecord, Equatable {
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {}
}

/// Where a symlink points. Layout after the format byte: count u32, bytes 1...4095.
package struct SymlinkTarget: StoredRecord, Equatable {
    package var target: [UInt8] = []
    package init() {}
    package init(_ target: [UInt8]) { self.target = target }
    package mutating func code(_ coder: inout WireCoder) { coder.bytes(&target, max: Geometry.symlinkBytesMax) }
}

/// An upload that was prepared and not yet published or abandoned; session and data ID are in the key.
/// Layout after the format byte: size u64, chunkBytesLog2 u8.
package struct UploadRecord: StoredRecord, Equatable {
    package var size: UInt64 = 0
    package var chunkBytesLog2 = Geometry.chunkBytesLog2Default
    package init() {}
    package init(size: UInt64, chunkBytesLog2: UInt8) {
        self.size = size
        self.chunkBytesLog2 = chunkBytesLog2
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&size)
        coder.integer(&chunkBytesLog2)
        if !Geometry.chunkBytesLog2Range.contains(chunkBytesLog2) { coder.fail() }
    }
}
