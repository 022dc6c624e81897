/// What `stat` shows of an inode, and where its content is.
package struct FileAttributes: Hashable, Sendable {
    package var inode: InodeID
    /// Length in bytes; of a symlink, the length of its target.
    package var size: UInt64
    package var data: DataID
    /// Bytes that the holder of the write lease may have sent to the nodes; at least `size` while it is written.
    /// Chunks at and past `size` may hold unacknowledged bytes up to here if the writer died (see `Grant.tailUnclean`).
    package var reservedSize: UInt64
    /// What a regular file takes on one replica of each of its chunks: whole blocks that were written, not its holes.
    package var allocatedBytes: UInt64
    package var accessTime: Timestamp
    /// Type and permission bits, as `st_mode`.
    package var mode: UInt32
    package var modifyTime: Timestamp
    package var linkCount: UInt32
    package var changeTime: Timestamp
    package var uid: UInt32
    package var gid: UInt32
    /// Device number of a special file, as `st_rdev`.
    package var device: UInt32
    package var extendedAttributes: ExtendedAttributeSummary
    /// Chunks are `1 << chunkBytesLog2` bytes: 17...26 (128 KiB, the client's cache block, to 64 MiB).
    package var chunkBytesLog2: UInt8
    /// A quota counts the file: its writer reserves what it is going to write before it takes it.
    package var countsInQuota: Bool

    package init(
        inode: InodeID = InodeID(0), mode: UInt32 = 0, linkCount: UInt32 = 1, uid: UInt32 = 0, gid: UInt32 = 0,
        device: UInt32 = 0, size: UInt64 = 0, accessTime: Timestamp = Timestamp(), modifyTime: Timestamp = Timestamp(),
        changeTime: Timestamp = Timestamp(), data: DataID = .none, chunkBytesLog2: UInt8 = 22, reservedSize: UInt64 = 0,
        allocatedBytes: UInt64 = 0, extendedAttributes: ExtendedAttributeSummary = .none,
        countsInQuota: Bool = false
    ) {
        self.inode = inode
        self.mode = mode
        self.linkCount = linkCount
        self.uid = uid
        self.gid = gid
        self.device = device
        self.size = size
        self.accessTime = accessTime
        self.modifyTime = modifyTime
        self.changeTime = changeTime
        self.data = data
        self.chunkBytesLog2 = chunkBytesLog2
        self.reservedSize = reservedSize
        self.allocatedBytes = allocatedBytes
        self.extendedAttributes = extendedAttributes
        self.countsInQuota = countsInQuota
    }

    package var kind: FileKind { FileKind(mode: mode) ?? .regular }
    package var permissions: UInt32 { mode & 0o7777 }
    package var chunkBytes: UInt64 { 1 << UInt64(chunkBytesLog2) }
    /// The longest this file can be: what `Geometry` allows, and what 2^32 - 1 chunks hold (the last index stands for
    /// "every chunk" where chunks are listed).
    package var sizeMax: UInt64 { min(Geometry.fileBytesMax, chunkBytes * UInt64(UInt32.max)) }
    /// relatime (mount(8)): an access counts if the one before it was not after the last change, or is a day old.
    package func accessCounts(at time: Timestamp) -> Bool {
        accessTime <= modifyTime || accessTime <= changeTime || time.seconds - accessTime.seconds >= 86_400
    }

    /// What the file would take without holes.
    package var denseBytes: UInt64 {
        let block = UInt64(Geometry.blockBytes)
        return (size + block - 1) / block * block
    }
}

extension FileAttributes {
    /// The permissions without the bits that a write, a truncation or a change of owner takes from a file (inode(7)):
    /// set-user-ID, and set-group-ID where the group may execute (else it means mandatory locking). Nil if there is
    /// nothing to take; directories keep theirs.
    package var permissionsWithoutSetID: UInt32? {
        guard kind != .directory else { return nil }
        let bits: UInt32 = mode & 0o0010 != 0 ? 0o6000 : 0o4000
        return mode & bits != 0 ? permissions & ~bits : nil
    }
}
