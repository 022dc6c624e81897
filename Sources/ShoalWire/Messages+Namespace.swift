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

package struct ReadLinkReply: WireMessage, Equatable {
    package var target: [UInt8] = []
    package init() {}
    package init(target: [UInt8]) { self.target = target }
    package mutating func code(_ coder: inout WireCoder) { coder.bytes(&target, max: Geometry.symlinkBytesMax) }
}
