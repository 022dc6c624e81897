import ShoalTypes

/// Who asks, and which of the session's changes this is, so that a retry after a lost connection happens once.
package struct Caller: Hashable, Sendable {
    package var session = SessionID.none
    /// Numbers the session's changing requests from 1; 0 for requests that change nothing.
    package var change: UInt64 = 0
    /// The request may have been executed already: answer as then.
    package var isRetry = false
    package init() {}
    package init(session: SessionID, change: UInt64 = 0, isRetry: Bool = false) {
        self.session = session
        self.change = change
        self.isRetry = isRetry
    }
    /// The most changes of one session that may be under way at once; the server remembers the replies of the last so
    /// many.
    package static let changesInFlightMax: UInt64 = 256
}

extension WireCoder {
    mutating func caller(_ value: inout Caller) {
        number(&value.session)
        integer(&value.change)
        boolean(&value.isRetry)
    }
}

/// A name in a directory: lookup, unlink, removeDirectory.
package struct NameRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var parent = InodeID(0)
    package var name = FileName.blank
    /// For unlink and rename: the inode that this name refers to as far as the caller knows and that it has not open.
    /// Zero, or another inode than the server finds: the caller may be using it.
    package var unused = InodeID(0)
    package init() {}
    package init(caller: Caller, parent: InodeID, name: FileName, unused: InodeID = InodeID(0)) {
        self.caller = caller
        self.parent = parent
        self.name = name
        self.unused = unused
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&parent)
        coder.name(&name)
        coder.number(&unused)
    }
}

/// A request about one inode: getAttributes, readLink.
package struct InodeRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package init() {}
    package init(caller: Caller, inode: InodeID) {
        self.caller = caller
        self.inode = inode
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
    }
}

/// Attributes, with a lease on the inode that rides along where nobody is in the way (mode `.none` otherwise), and one
/// on the directory it was asked of.
package struct EntryReply: WireMessage, Equatable {
    package var attributes = FileAttributes()
    package var grant = Grant.none
    /// On the parent directory (lookup, create, ...): mode `.none` where none was given.
    package var parentGrant = Grant.none
    /// The parent's attributes after the change (create, mkdir, symlink, link); inode 0 where not given.
    package var parent = FileAttributes()
    package init() {}
    package init(
        attributes: FileAttributes, grant: Grant, parentGrant: Grant = .none,
        parent: FileAttributes = FileAttributes()
    ) {
        self.attributes = attributes
        self.grant = grant
        self.parentGrant = parentGrant
        self.parent = parent
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.attributes(&attributes)
        coder.grant(&grant)
        coder.grant(&parentGrant)
        coder.attributes(&parent)
    }
}

/// The reply to a lookup of an absent name: status ok, `found` nil, so that the directory's lease can ride along.
package struct LookupReply: WireMessage, Equatable {
    package var found: EntryReply?
    package var parentGrant = Grant.none
    package init() {}
    package init(found: EntryReply?, parentGrant: Grant) {
        self.found = found
        self.parentGrant = parentGrant
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.optional(&found, blank: EntryReply()) { $1.code(&$0) }
        coder.grant(&parentGrant)
    }
}

/// Which attributes a `setAttributes` changes.
package struct AttributeChange: Hashable, Sendable {
    /// Permission bits only; the type never changes.
    package var permissions: UInt32?
    package var uid: UInt32?
    package var gid: UInt32?
    /// Truncation or extension. The caller holds the write lease, and for a shorter, non-zero size it has already cut
    /// the chunks on the nodes. Size 0 gives the file a new data ID and queues the old one.
    package var size: UInt64?
    package var accessTime: Timestamp?
    package var modifyTime: Timestamp?
    package init() {}

    /// Permissions are written into an ACL; an owner, a group and a size take the capabilities.
    package var changesExtendedAttributes: Bool { permissions != nil || uid != nil || gid != nil || size != nil }
}

package struct SetAttributesRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package var change = AttributeChange()
    package init() {}
    package init(caller: Caller, inode: InodeID, change: AttributeChange) {
        self.caller = caller
        self.inode = inode
        self.change = change
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.optional(&change.permissions, blank: 0) { $0.integer(&$1) }
        coder.optional(&change.uid, blank: 0) { $0.integer(&$1) }
        coder.optional(&change.gid, blank: 0) { $0.integer(&$1) }
        coder.optional(&change.size, blank: 0) { $0.integer(&$1) }
        coder.optional(&change.accessTime, blank: Timestamp()) { $0.timestamp(&$1) }
        coder.optional(&change.modifyTime, blank: Timestamp()) { $0.timestamp(&$1) }
    }
}

package struct ReadDirectoryRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    /// Entries with a cookie above this one; 0 from the start. Cookies are handed out in ascending order, never reused.
    package var after: UInt64 = 0
    /// 1...`entriesMax`.
    package var limit: UInt32 = 256
    /// With attributes and a read lease on every entry where nobody is in the way.
    package var withAttributes = false
    package static let entriesMax: UInt32 = 1024
    package init() {}
    package init(caller: Caller, inode: InodeID, after: UInt64, limit: UInt32, withAttributes: Bool) {
        self.caller = caller
        self.inode = inode
        self.after = after
        self.limit = limit
        self.withAttributes = withAttributes
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.integer(&after)
        coder.integer(&limit)
        coder.boolean(&withAttributes)
    }
}

package struct DirectoryEntry: Hashable, Sendable {
    package var name: FileName
    package var inode: InodeID
    package var kind: FileKind
    package var cookie: UInt64
    /// Present if asked for and no other session is writing the file.
    package var attributes: FileAttributes?
    package var grant: Grant
    package init(
        name: FileName, inode: InodeID, kind: FileKind, cookie: UInt64, attributes: FileAttributes? = nil,
        grant: Grant = .none
    ) {
        self.name = name
        self.inode = inode
        self.kind = kind
        self.cookie = cookie
        self.attributes = attributes
        self.grant = grant
    }
    package static let blank = DirectoryEntry(name: .blank, inode: InodeID(0), kind: .regular, cookie: 0)
}

package struct ReadDirectoryReply: WireMessage, Equatable {
    package var entries: [DirectoryEntry] = []
    package var isEnd = false
    /// The directory that contains this one, for `..`.
    package var parent = InodeID(0)
    package init() {}
    package init(entries: [DirectoryEntry], isEnd: Bool, parent: InodeID) {
        self.entries = entries
        self.isEnd = isEnd
        self.parent = parent
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.list(
            &entries, max: Int(ReadDirectoryRequest.entriesMax), minimumBytes: 26, blank: DirectoryEntry.blank
        ) { coder, entry in
            coder.name(&entry.name)
            coder.number(&entry.inode)
            coder.enumeration(&entry.kind)
            coder.integer(&entry.cookie)
            coder.optional(&entry.attributes, blank: FileAttributes()) { $0.attributes(&$1) }
            coder.grant(&entry.grant)
        }
        coder.boolean(&isEnd)
        coder.number(&parent)
    }
}

/// mkdir, mknod, symlink and create in one: the kind is in `mode`.
package struct CreateRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var parent = InodeID(0)
    package var name = FileName.blank
    package var mode: UInt32 = 0
    /// Permission bits that the creator does not give; a default ACL of the parent takes its place.
    package var umask: UInt32 = 0
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var device: UInt32 = 0
    /// Of a symlink; empty otherwise.
    package var target: [UInt8] = []
    /// Of a regular file: grant the write lease, and reserve the first chunk, since the caller is about to write.
    package var opensForWriting = false
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&parent)
        coder.name(&name)
        coder.integer(&mode)
        coder.integer(&umask)
        coder.integer(&uid)
        coder.integer(&gid)
        coder.integer(&device)
        coder.bytes(&target, max: Geometry.symlinkBytesMax)
        coder.boolean(&opensForWriting)
        if isUnknownKind { coder.fail() }
    }
    private var isUnknownKind: Bool { FileKind(mode: mode) == nil && mode != 0 }
}

package struct LinkRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package var parent = InodeID(0)
    package var name = FileName.blank
    package init() {}
    package init(caller: Caller, inode: InodeID, parent: InodeID, name: FileName) {
        self.caller = caller
        self.inode = inode
        self.parent = parent
        self.name = name
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.number(&parent)
        coder.name(&name)
    }
}

package struct RenameRequest: WireMessage, Equatable {
    package enum Rule: UInt8, Sendable {
        case replace = 0
        /// RENAME_NOREPLACE of rename(2).
        case noReplace = 1
        /// RENAME_EXCHANGE.
        case exchange = 2
    }
    package var caller = Caller()
    package var parent = InodeID(0)
    package var name = FileName.blank
    package var newParent = InodeID(0)
    package var newName = FileName.blank
    package var rule = Rule.replace
    /// As `NameRequest.unused`, of the file that would be replaced.
    package var unused = InodeID(0)
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&parent)
        coder.name(&name)
        coder.number(&newParent)
        coder.name(&newName)
        coder.enumeration(&rule)
        coder.number(&unused)
    }
}

/// The reply to unlink, removeDirectory and rename.
package struct RemovalReply: WireMessage, Equatable {
    /// The inode that lost a name (of a rename: the replaced one), with its attributes after; inode 0 if none did.
    package var removed = FileAttributes()
    /// The inode has no name left and lives on because this session may have it open; it holds a pin, which it returns
    /// when it is not using the file.
    package var isOrphan = false
    /// Of a rename: the moved inode (exchange: the one that went to the new name).
    package var moved = InodeID(0)
    /// What this session holds of `removed` now; `.none` if nothing, or while that is being recalled (then it stays as
    /// it is). Where the last name went and `isOrphan` is not set, whatever was held has ended.
    package var grant = Grant.none
    /// The attributes after, of what this changed besides `removed`: the directories and, of a rename, what was moved.
    /// Empty where a rename had nothing to do. At most four.
    package var changed: [FileAttributes] = []
    package static let changedMax = 4
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.attributes(&removed)
        coder.boolean(&isOrphan)
        coder.number(&moved)
        coder.grant(&grant)
        coder.list(&changed, max: Self.changedMax, minimumBytes: 89, blank: FileAttributes()) { $0.attributes(&$1) }
    }
}

package struct ReadLinkReply: WireMessage, Equatable {
    package var target: [UInt8] = []
    package init() {}
    package init(target: [UInt8]) { self.target = target }
    package mutating func code(_ coder: inout WireCoder) { coder.bytes(&target, max: Geometry.symlinkBytesMax) }
}

/// Space as users see it: raw node space divided by the replica count, or what a quota leaves of it.
package struct FileSystemStatistics: WireMessage, Equatable {
    package var bytesTotal: UInt64 = 0
    package var bytesFree: UInt64 = 0
    package var inodesUsed: UInt64 = 0
    /// Of the quota with the fewest inodes left; nil if there is no limit.
    package var inodesFree: UInt64?
    package init() {}
    package init(bytesTotal: UInt64, bytesFree: UInt64, inodesUsed: UInt64) {
        self.bytesTotal = bytesTotal
        self.bytesFree = bytesFree
        self.inodesUsed = inodesUsed
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&bytesTotal)
        coder.integer(&bytesFree)
        coder.integer(&inodesUsed)
        coder.optional(&inodesFree, blank: 0) { $0.integer(&$1) }
    }
}
