import ShoalTypes

/// Sets limits of a directory; those that are nil stay as they are (of a new quota: none).
package struct SetQuotaRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    /// 2^64 - 1: no limit.
    package var bytes: UInt64?
    package var inodes: UInt64?
    package init() {}
    package init(caller: Caller, inode: InodeID, bytes: UInt64?, inodes: UInt64?) {
        self.caller = caller
        self.inode = inode
        self.bytes = bytes
        self.inodes = inodes
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.optional(&bytes, blank: 0) { $0.integer(&$1) }
        coder.optional(&inodes, blank: 0) { $0.integer(&$1) }
    }
}

/// The quotas that `inode` is charged to; with inode 0 all, those above `after`.
package struct QuotaListRequest: WireMessage, Equatable {
    package var caller = Caller()
    package var inode = InodeID(0)
    package var after = InodeID(0)
    package init() {}
    package init(caller: Caller, inode: InodeID, after: InodeID = InodeID(0)) {
        self.caller = caller
        self.inode = inode
        self.after = after
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.caller(&caller)
        coder.number(&inode)
        coder.number(&after)
    }
}

/// A directory's quota.
package struct QuotaEntry: Hashable, Sendable {
    package enum State: UInt8, Sendable, CaseIterable {
        case active = 0
        /// What was in the directory before is being counted; nothing is refused yet.
        case counting = 1
        /// Nothing is refused any more; it goes when nothing is charged to it.
        case removing = 2
    }
    package var tree = InodeID(0)
    /// The quota's directory around it, 0 if there is none.
    package var parent = InodeID(0)
    package var limit = QuotaAmount.unlimited
    package var used = QuotaAmount.zero
    package var state = State.active
    package init() {}
}

/// The reply to setQuota (the one that was set) and listQuotas.
package struct QuotaListReply: WireMessage, Equatable {
    package var entries: [QuotaEntry] = []
    package var isEnd = true
    package static let entriesMax = 256
    package init() {}
    package init(entries: [QuotaEntry], isEnd: Bool) {
        self.entries = entries
        self.isEnd = isEnd
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.list(&entries, max: Self.entriesMax, minimumBytes: 49, blank: QuotaEntry()) { coder, entry in
            coder.number(&entry.tree)
            coder.number(&entry.parent)
            coder.amount(&entry.limit)
            coder.amount(&entry.used)
            coder.enumeration(&entry.state)
        }
        coder.boolean(&isEnd)
    }
}
