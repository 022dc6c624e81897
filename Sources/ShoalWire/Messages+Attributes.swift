import ShoalTypes

/// Which attributes a `setAttributes` changes.
package struct AttributeChange: Hashable, Sendable {
    /// Permission bits only; the type never changes.
    package var permissions: UInt32?
    package var uid: UInt32?
    package var gid: UInt32?
    /// Truncation or extension. The caller holds the write lease, and for a shorter, non-zero size it has already cut
    /// the chunks on the nodes. Size 0 gives the file a new data ID and queues the old one.
    package var size: UInt64?
    /// With a size: what the file takes then (`FileAttributes.allocatedBytes`).
    package var allocatedBytes: UInt64?
    package var accessTime: Timestamp?
    package var modifyTime: Timestamp?
    package init() {}

    /// With only those permissions that are in `permissions` too, unless that is nil.
    package mutating func take(_ permissionsLeft: UInt32?) {
        guard let permissionsLeft else { return }
        permissions = (permissions ?? permissionsLeft) & permissionsLeft
    }

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
        coder.optional(&change.allocatedBytes, blank: 0) { $0.allocatedBytes(&$1) }
        coder.optional(&change.accessTime, blank: Timestamp()) { $0.timestamp(&$1) }
        coder.optional(&change.modifyTime, blank: Timestamp()) { $0.timestamp(&$1) }
    }
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
