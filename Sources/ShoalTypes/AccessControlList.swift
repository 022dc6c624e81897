/// A POSIX ACL (acl(5)) in the form in which the kernel gives and takes it (linux/posix_acl_xattr.h): version u32 = 2,
/// then 8 bytes an entry, little-endian: tag u16, permissions u16 (0...7), user or group u32 (0xFFFF_FFFF where none).
///
/// Invariant: the owner's entry, named users, the group's, named groups, the mask, the others', in this order; the
/// first, third and last exactly once, the mask at most once, and exactly once if anybody is named
/// (posix_acl_valid() in Linux's fs/posix_acl.c).
package struct AccessControlList: Hashable, Sendable {
    enum Tag: UInt16 {
        case owner = 0x01
        case user = 0x02
        case group = 0x04
        case namedGroup = 0x08
        case mask = 0x10
        case others = 0x20
    }
    struct Entry: Hashable {
        var tag: Tag
        /// Read 4, write 2, execute 1.
        var permissions: UInt32
        var id: UInt32
    }
    private static let version: UInt32 = 2
    private static let headerBytes = 4
    private static let entryBytes = 8

    private(set) var entries: [Entry]

    /// - Throws: `.tooBig` past `ExtendedAttributeLimits.accessControlListBytesMax`, `.notSupported` for another
    ///   version, `.invalidArgument` for what is no valid ACL.
    package init(_ bytes: [UInt8]) throws(FileError) {
        guard bytes.count <= ExtendedAttributeLimits.accessControlListBytesMax else { throw .tooBig }
        let body = bytes.count - Self.headerBytes
        guard body > 0, body % Self.entryBytes == 0 else { throw .invalidArgument }
        func number<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> T {
            bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
        }
        guard number(at: 0) == Self.version else { throw .notSupported }
        entries = []
        for offset in stride(from: Self.headerBytes, to: bytes.count, by: Self.entryBytes) {
            let permissions: UInt16 = number(at: offset + 2)
            guard let tag = Tag(rawValue: number(at: offset)), permissions <= 7 else { throw .invalidArgument }
            entries.append(Entry(tag: tag, permissions: UInt32(permissions), id: number(at: offset + 4)))
        }
        guard isValid else { throw .invalidArgument }
    }

    private var isValid: Bool {
        func count(_ tag: Tag) -> Int { entries.count { $0.tag == tag } }
        // The tags' numbers ascend in the order that is asked for.
        let isOrdered = zip(entries, entries.dropFirst()).allSatisfy { $0.tag.rawValue <= $1.tag.rawValue }
        let isNaming = count(.user) + count(.namedGroup) > 0
        return isOrdered && count(.owner) == 1 && count(.group) == 1 && count(.others) == 1
            && (count(.mask) == 1 || count(.mask) == 0 && !isNaming)
    }

    /// What the mode says already: nobody is named and there is no mask, so nothing need be stored.
    package var isMinimal: Bool { entries.count == 3 }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.headerBytes + Self.entryBytes * entries.count)
        func append(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(Self.version)
        for entry in entries {
            append(entry.tag.rawValue)
            append(UInt16(entry.permissions))
            append(entry.id)
        }
        return bytes
    }

    /// The entry that the group bits of a mode stand for: the mask, or the group's where there is none.
    private var groupClass: Int {
        guard let index = entries.lastIndex(where: { $0.tag == .mask || $0.tag == .group }) else {
            preconditionFailure("an ACL without a group")
        }
        return index
    }

    /// The entries of owner, group class and others, each with its place in a mode.
    private var classes: [(index: Int, shift: UInt32)] {
        [(entries.startIndex, 6), (groupClass, 3), (entries.endIndex - 1, 0)]
    }

    /// The nine permission bits of a mode that say the same (posix_acl_equiv_mode()).
    package var permissions: UInt32 { classes.reduce(0) { $0 | entries[$1.index].permissions << $1.shift } }

    /// chmod(2): the classes take the mode's bits (posix_acl_chmod()).
    package func changing(permissions: UInt32) -> AccessControlList {
        var changed = self
        for (index, shift) in classes { changed.entries[index].permissions = permissions >> shift & 7 }
        return changed
    }

    /// The access ACL of a new entry in a directory with this default ACL: the classes keep what the creator gives
    /// (posix_acl_create()); its `permissions` are those of the new inode.
    package func inherited(permissions: UInt32) -> AccessControlList {
        changing(permissions: self.permissions & permissions)
    }
}
