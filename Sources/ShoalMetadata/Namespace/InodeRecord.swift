import ShoalTypes
import ShoalWire

/// An inode as it is stored; its ID is in the key. What only one kind has is stored for that kind only.
///
/// Layout after the format byte: mode, linkCount, uid, gid u32; access, modify, change time (seconds i64, nanoseconds
/// u32); then of a regular file size u64, reservedSize u64, dataID u64, chunkBytesLog2 u8, allocatedBytes u64; of
/// a directory parent u64, entryCount u64; of a symlink size u64; of a device number u32; then whether there are
/// extended attributes u8, and if so the bytes of their names u32 and of their values u32; at last, only in a quota
/// tree, quota u64.
package struct InodeRecord: StoredRecord, Equatable {
    package var attributes = FileAttributes()
    /// Of a directory: the one that contains it (the root contains itself). 0 for other kinds.
    package var parent = InodeID(0)
    /// Of a directory: how many names it has.
    package var entryCount: UInt64 = 0
    /// The quota tree that the inode is charged to: a directory with a quota, or 0. Such a directory itself is charged to
    /// the tree around it.
    package var quota = InodeID(0) {
        didSet { attributes.countsInQuota = quota.rawValue != 0 }
    }
    /// What `stat` shows as the size of every directory.
    package static let directoryBytes: UInt64 = 4096

    package init() {}
    package init(_ attributes: FileAttributes, parent: InodeID = InodeID(0)) {
        self.attributes = attributes
        self.parent = parent
    }

    package var inode: InodeID { attributes.inode }
    package var isDirectory: Bool { attributes.kind == .directory }

    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&attributes.mode)
        coder.integer(&attributes.linkCount)
        coder.integer(&attributes.uid)
        coder.integer(&attributes.gid)
        coder.timestamp(&attributes.accessTime)
        coder.timestamp(&attributes.modifyTime)
        coder.timestamp(&attributes.changeTime)
        guard let kind = FileKind(mode: attributes.mode) else { return coder.fail() }
        switch kind {
        case .regular:
            coder.integer(&attributes.size)
            coder.integer(&attributes.reservedSize)
            coder.number(&attributes.data)
            coder.integer(&attributes.chunkBytesLog2)
            coder.integer(&attributes.allocatedBytes)
            if !Geometry.chunkBytesLog2Range.contains(attributes.chunkBytesLog2) { coder.fail() }
        case .directory:
            coder.number(&parent)
            coder.integer(&entryCount)
            attributes.size = InodeRecord.directoryBytes
        case .symlink: coder.integer(&attributes.size)
        case .characterDevice, .blockDevice: coder.integer(&attributes.device)
        case .fifo, .socket: break
        }
        coder.extendedAttributes(&attributes.extendedAttributes)
        if coder.isDecoding ? !coder.isAtEnd : quota.rawValue != 0 { coder.number(&quota) }
    }
}

extension FileAttributes {
    /// Chunks with an index at or above this one were never written.
    package var chunkCountMax: UInt64 { (max(size, reservedSize) + chunkBytes - 1) / chunkBytes }
}
