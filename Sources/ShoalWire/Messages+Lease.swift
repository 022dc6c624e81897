import ShoalTypes

/// Reply: `EntryReply` whose grant allows `mode` of `extent`: a lease of at least that mode, or where others use other chunks
/// `.part` with an extent that contains it. Waits until every conflicting lease has been given back.
package struct AcquireLeaseRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package var mode = LeaseMode.read
    /// The chunks that are going to be used; whole if it is more than these.
    package var extent = LeaseExtent.whole
    package init() {}
    package init(caller: Caller, inode: InodeID, mode: LeaseMode, extent: LeaseExtent = .whole) {
        self.caller = caller
        self.inode = inode
        self.mode = mode
        self.extent = extent
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.enumeration(&mode)
        coder.extent(&extent)
    }
}

/// Leases given back without being asked: `mode` is what remains (`.none`, `.pin` or `.read`). Before a write lease
/// goes, its buffered bytes are on the nodes and its size is committed. Ignored for sequences that are no longer held.
package struct ReleaseLeasesRequest: WireMessage, Equatable {
    package static let leasesMax = 65_536
    package var caller = Caller()
    package var leases: [HeldLease] = []
    package init() {}
    package init(caller: Caller, leases: [HeldLease]) {
        self.caller = caller
        self.leases = leases
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.list(&leases, max: Self.leasesMax, minimumBytes: 17, blank: HeldLease.blank) { $0.heldLease(&$1) }
    }
}

/// Metadata server -> client: give this lease back down to `mode`, and forget `names` of the directory, which will
/// change. The reply (`RecallReply`) comes when it has been done.
package struct RecallRequest: WireMessage, Equatable {
    package static let namesMax = 8
    package var inode = InodeID(0)
    package var sequence = LeaseSequence.none
    package var mode = LeaseMode.none
    /// Only where `mode` is `.names`: a lower one takes them all.
    package var names: [FileName] = []
    package init() {}
    package init(inode: InodeID, sequence: LeaseSequence, mode: LeaseMode, names: [FileName] = []) {
        self.inode = inode
        self.sequence = sequence
        self.mode = mode
        self.names = names
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&inode)
        coder.number(&sequence)
        coder.enumeration(&mode)
        coder.list(&names, max: Self.namesMax, minimumBytes: 5, blank: FileName.blank) { $0.name(&$1) }
    }
}

/// What the client keeps: at most the mode asked for, at least `.pin` while it has the file open; `.names` only of
/// directories.
package struct RecallReply: WireMessage, Equatable {
    package var remaining = LeaseMode.none
    package init() {}
    package init(remaining: LeaseMode) { self.remaining = remaining }
    package mutating func code(_ coder: inout WireCoder) { coder.enumeration(&remaining) }
}

/// Metadata server -> holder of a write lease: what are the size and times now? Takes nothing away; from a writer that
/// answers that it is idle, the lease is recalled down to `.read` next.
package struct GlimpseRequest: WireMessage, Equatable {
    package var inode = InodeID(0)
    package var sequence = LeaseSequence.none
    package init() {}
    package init(inode: InodeID, sequence: LeaseSequence) {
        self.inode = inode
        self.sequence = sequence
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&inode)
        coder.number(&sequence)
    }
}

package struct GlimpseReply: WireMessage, Equatable {
    package var size: UInt64 = 0
    package var allocatedBytes: UInt64 = 0
    package var modifyTime = Timestamp()
    package var changeTime = Timestamp()
    /// If it was set by hand and the server does not know.
    package var accessTime: Timestamp?
    package var isIdle = false
    package init() {}
    package init(
        size: UInt64, allocatedBytes: UInt64 = 0, modifyTime: Timestamp, changeTime: Timestamp,
        accessTime: Timestamp? = nil, isIdle: Bool = false
    ) {
        self.size = size
        self.allocatedBytes = allocatedBytes
        self.modifyTime = modifyTime
        self.changeTime = changeTime
        self.accessTime = accessTime
        self.isIdle = isIdle
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&size)
        coder.allocatedBytes(&allocatedBytes)
        coder.timestamp(&modifyTime)
        coder.timestamp(&changeTime)
        coder.optional(&accessTime, blank: Timestamp()) { $0.timestamp(&$1) }
        coder.boolean(&isIdle)
    }
}

/// Upload, phase one: a fresh data ID to write chunks under. Forgotten, and its chunks reclaimed, if the session ends
/// first.
package struct PrepareUploadRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var size: UInt64 = 0
    package init() {}
    package init(caller: Caller, size: UInt64) {
        self.caller = caller
        self.size = size
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.integer(&size)
    }
}

package struct PrepareUploadReply: WireMessage, Equatable {
    package var data = DataID.none
    package var sequence = LeaseSequence.none
    package var chunkBytesLog2: UInt8 = Geometry.chunkBytesLog2Default
    package init() {}
    package init(data: DataID, sequence: LeaseSequence, chunkBytesLog2: UInt8) {
        self.data = data
        self.sequence = sequence
        self.chunkBytesLog2 = chunkBytesLog2
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&data)
        coder.number(&sequence)
        coder.integer(&chunkBytesLog2)
    }
}

/// Upload, phase two, after every node has synced: the name refers to the new content, whole. An existing regular file
/// keeps its inode, mode and owner and gets the new content; its old content is reclaimed. Reply: `EntryReply`.
package struct PublishUploadRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var parent = InodeID(0)
    package var name = FileName.blank
    package var data = DataID.none
    package var size: UInt64 = 0
    package var mode: UInt32 = 0
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&parent)
        coder.name(&name)
        coder.number(&data)
        coder.integer(&size)
        coder.integer(&mode)
        coder.integer(&uid)
        coder.integer(&gid)
    }
}

package struct AbandonUploadRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var data = DataID.none
    package init() {}
    package init(caller: Caller, data: DataID) {
        self.caller = caller
        self.data = data
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&data)
    }
}
