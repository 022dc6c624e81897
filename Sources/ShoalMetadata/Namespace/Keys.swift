import ShoalTypes

/// The one table of the metadata store's keys: a prefix byte, then the fields, big-endian so that they sort by number.
/// docs/formats/metadata-keys.md describes the values.
package enum Keys {
    package enum Prefix: UInt8, CaseIterable, Sendable {
        /// No fields -> `Superblock`.
        case superblock = 0x01
        /// No fields -> `Identifiers`: below these numbers everything may have been given out.
        case identifiers = 0x02
        /// No fields -> `InodeCount`.
        case inodeCount = 0x03
        /// No fields -> `RestartCount`.
        case restartCount = 0x04
        /// inode u64 -> `InodeRecord`.
        case inode = 0x10
        /// parent u64, name 1...255 bytes -> `Dentry`.
        case dentry = 0x11
        /// parent u64, cookie u64 -> `CookieRecord`; the order in which a directory is listed.
        case cookie = 0x12
        /// inode u64 -> `SymlinkTarget`.
        case symlink = 0x13
        /// inode u64, name 6...255 bytes -> `ExtendedAttributeValue`.
        case extendedAttribute = 0x14
        /// tree u64 -> `QuotaTree`: a directory with a quota.
        case quota = 0x15
        /// tree u64, directory u64 -> `QuotaWalkPosition`: entries that are still to be charged to the tree, or to the
        /// one around it.
        case quotaWalk = 0x16
        // 0x17 is kept for quotas.
        /// No fields -> `TrashState`; time u64, inode u64 -> `TrashEntry`, in the order in which they came.
        case trash = 0x18
        /// inode u64 -> `OrphanRecord`: no name left, but in use when the last one went.
        case orphan = 0x20
        /// dataID u64 -> `ReclaimEntry`: chunks that nothing refers to.
        case reclaim = 0x21
        /// session u64 -> the coordinator's session record.
        case session = 0x30
        /// session u64, slot u8 -> the coordinator's record of the reply to change `n`, `n mod 256 == slot`.
        case sessionReply = 0x31
        /// session u64, dataID u64 -> `UploadRecord`: prepared, not yet published.
        case upload = 0x32
        /// No fields -> the coordinator's cluster map.
        case map = 0x40
        /// node u32 -> the coordinator's record of a storage node.
        case node = 0x41
    }

    package static let superblock = [Prefix.superblock.rawValue]
    package static let identifiers = [Prefix.identifiers.rawValue]
    package static let inodeCount = [Prefix.inodeCount.rawValue]
    package static let restartCount = [Prefix.restartCount.rawValue]
    package static let map = [Prefix.map.rawValue]
    package static let trash = [Prefix.trash.rawValue]

    package static func inode(_ inode: InodeID) -> [UInt8] { key(.inode, inode.rawValue) }
    package static func symlink(_ inode: InodeID) -> [UInt8] { key(.symlink, inode.rawValue) }
    package static func orphan(_ inode: InodeID) -> [UInt8] { key(.orphan, inode.rawValue) }
    package static func reclaim(_ data: DataID) -> [UInt8] { key(.reclaim, data.rawValue) }
    package static func session(_ session: SessionID) -> [UInt8] { key(.session, session.rawValue) }

    package static func quota(_ tree: InodeID) -> [UInt8] { key(.quota, tree.rawValue) }

    package static func quotaWalk(_ tree: InodeID, _ directory: InodeID) -> [UInt8] {
        key(.quotaWalk, tree.rawValue, directory.rawValue)
    }

    package static func trashEntry(_ seconds: UInt64, _ inode: InodeID) -> [UInt8] {
        key(.trash, seconds, inode.rawValue)
    }

    package static func dentry(_ parent: InodeID, _ name: FileName) -> [UInt8] {
        var bytes = key(.dentry, parent.rawValue, reserving: name.bytes.count)
        bytes.append(contentsOf: name.bytes)
        return bytes
    }

    package static func extendedAttribute(_ inode: InodeID, _ name: ExtendedAttributeName) -> [UInt8] {
        var bytes = key(.extendedAttribute, inode.rawValue, reserving: name.bytes.count)
        bytes.append(contentsOf: name.bytes)
        return bytes
    }

    package static func cookie(_ parent: InodeID, _ cookie: UInt64) -> [UInt8] {
        key(.cookie, parent.rawValue, cookie)
    }

    package static func upload(_ session: SessionID, _ data: DataID) -> [UInt8] {
        key(.upload, session.rawValue, data.rawValue)
    }

    package static func sessionReply(_ session: SessionID, slot: UInt8) -> [UInt8] {
        var bytes = key(.sessionReply, session.rawValue, reserving: 1)
        bytes.append(slot)
        return bytes
    }

    package static func node(_ node: NodeID) -> [UInt8] {
        var bytes = [Prefix.node.rawValue]
        append(node.rawValue, to: &bytes)
        return bytes
    }

    /// Every key with this prefix: the bounds of a scan.
    package static func range(_ prefix: Prefix) -> (lower: [UInt8], upper: [UInt8]) {
        ([prefix.rawValue], [prefix.rawValue + 1])
    }

    /// Every key with this prefix and first field: the replies or uploads of a session, the entries of a directory.
    package static func range(_ prefix: Prefix, _ field: UInt64) -> (lower: [UInt8], upper: [UInt8]) {
        (key(prefix, field), field == .max ? [prefix.rawValue + 1] : key(prefix, field + 1))
    }

    /// The big-endian number that starts `offset` bytes into a key of this table; 0 if the key is shorter.
    package static func field(_ key: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        guard key.count >= offset + 8 else { return 0 }
        return UInt64(bigEndian: key.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    private static func key(_ prefix: Prefix, _ field: UInt64, reserving extra: Int = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(9 + extra)
        bytes.append(prefix.rawValue)
        append(field, to: &bytes)
        return bytes
    }

    private static func key(_ prefix: Prefix, _ first: UInt64, _ second: UInt64) -> [UInt8] {
        var bytes = key(prefix, first, reserving: 8)
        append(second, to: &bytes)
        return bytes
    }

    private static func append<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}
