import ShoalTypes

/// Turns the trash on (with a keep time) or off.
package struct SetTrashRequest: WireMessage, Equatable {
    package var caller = Caller()
    /// Of what is in the trash, from now on also of what is there already; 1 s to `keepSecondsMax`. Nil: off, and what is
    /// there stays for the time that was set last.
    package var keepSeconds: UInt64?
    /// A hundred years.
    package static let keepSecondsMax: UInt64 = 36_525 * 86_400
    package init() {}
    package init(caller: Caller, keepSeconds: UInt64?) {
        self.caller = caller
        self.keepSeconds = keepSeconds
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.optional(&keepSeconds, blank: 1) { $0.integer(&$1) }
        if let keepSeconds, !(1...Self.keepSecondsMax).contains(keepSeconds) { coder.fail() }
    }
}

/// A page of what is in the trash, the oldest first, from after a place that an earlier reply named.
package struct ListTrashRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var after = TrashPlace()
    package init() {}
    package init(caller: Caller, after: TrashPlace) {
        self.caller = caller
        self.after = after
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.place(&after)
    }
}

/// Where something stands in the trash.
package struct TrashPlace: Hashable, Sendable {
    /// When it was unlinked: milliseconds since 1970.
    package var milliseconds: UInt64 = 0
    package var inode = InodeID(0)
    package init() {}
    package init(milliseconds: UInt64, inode: InodeID) {
        self.milliseconds = milliseconds
        self.inode = inode
    }
}

/// A file in the trash.
package struct TrashItem: Hashable, Sendable {
    package var place = TrashPlace()
    /// Where it is now.
    package var directory = InodeID(0)
    package var name = FileName.blank
    /// Where it was.
    package var formerParent = InodeID(0)
    package var formerName = FileName.blank
    package var size: UInt64 = 0
    package init() {}
}

package struct ListTrashReply: WireMessage, Equatable {
    package var isOn = false
    /// 0 if the trash was never on.
    package var keepSeconds: UInt64 = 0
    package var items: [TrashItem] = []
    /// Where the next page starts; nil if there is none.
    package var next: TrashPlace?
    package static let itemsMax = 256
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.boolean(&isOn)
        coder.integer(&keepSeconds)
        coder.list(&items, max: Self.itemsMax, minimumBytes: 50, blank: TrashItem()) { coder, item in
            coder.place(&item.place)
            coder.number(&item.directory)
            coder.name(&item.name)
            coder.number(&item.formerParent)
            coder.name(&item.formerName)
            coder.integer(&item.size)
        }
        coder.optional(&next, blank: TrashPlace()) { $0.place(&$1) }
    }
}

/// Everything that is in the trash goes. The reply comes at once; the work is done in steps.
package struct EmptyTrashRequest: WireMessage, Equatable {
    package var caller = Caller()
    package init() {}
    package init(caller: Caller) { self.caller = caller }
    package mutating func code(_ coder: inout WireCoder) { coder.caller(&caller) }
}

extension WireCoder {
    mutating func place(_ value: inout TrashPlace) {
        integer(&value.milliseconds)
        number(&value.inode)
    }
}
