import ShoalTypes

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
    /// The trash's directory that has `removed` now, under a name that only the server knows; 0 if none has.
    package var trash = InodeID(0)
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
        coder.number(&trash)
        coder.list(&changed, max: Self.changedMax, minimumBytes: 99, blank: FileAttributes()) { $0.attributes(&$1) }
    }
}
