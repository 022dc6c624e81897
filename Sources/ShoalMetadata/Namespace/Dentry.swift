import ShoalTypes
import ShoalWire

/// What a name in a directory refers to. Layout after the format byte: inode u64, kind u8 (`st_mode >> 12`), cookie
/// u64.
package struct Dentry: StoredRecord, Hashable {
    package var inode = InodeID(0)
    package var kind = FileKind.regular
    /// The entry's place in the listing. A name keeps it while it exists, also when a rename puts another file there;
    /// an entry that is renamed within its directory takes it along. So a listing shows each name and each entry once.
    package var cookie: UInt64 = 0

    package init() {}
    package init(inode: InodeID, kind: FileKind, cookie: UInt64) {
        self.inode = inode
        self.kind = kind
        self.cookie = cookie
    }

    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&inode)
        coder.kind(&kind)
        coder.integer(&cookie)
    }
}

/// The same entry under its cookie, so that a listing reads nothing else. Layout after the format byte: inode u64, kind
/// u8, name (count u32, bytes).
package struct CookieRecord: StoredRecord, Hashable {
    package var inode = InodeID(0)
    package var kind = FileKind.regular
    package var name = FileName.blank

    package init() {}
    package init(inode: InodeID, kind: FileKind, name: FileName) {
        self.inode = inode
        self.kind = kind
        self.name = name
    }

    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&inode)
        coder.kind(&kind)
        coder.name(&name)
    }
}

extension WireCoder {
    mutating func kind(_ value: inout FileKind) {
        var raw = UInt8(value.rawValue >> 12)
        integer(&raw)
        guard isDecoding else { return }
        if let decoded = FileKind(rawValue: UInt32(raw) << 12) { value = decoded } else { fail() }
    }
}
