import ShoalTypes
import ShoalWire

/// A directory with a quota; its inode is in the key. Layout after the format byte: parent u64 (the tree around it, 0 if
/// none), bytesLimit, inodesLimit u64 (2^64 - 1: none), bytesUsed, inodesUsed u64, state u8.
///
/// What is below the directory counts, the directory itself does not: it counts in the tree around it. Bytes are the
/// lengths of regular files, or how far their writers have reserved where that is more; what several names refer to
/// counts once, and an unlinked file that is still open counts until it is gone.
package struct QuotaTree: StoredRecord, Equatable {
    package enum State: UInt8, Sendable {
        /// The limits hold.
        case active = 0
        /// What was in the directory before is being counted; nothing is refused yet.
        case counting = 1
        /// What is in the directory is being given to the tree around it; nothing is refused any more.
        case removing = 2
    }
    package var parent = InodeID(0)
    package var limit = QuotaAmount.unlimited
    package var used = QuotaAmount.zero
    package var state = State.active
    package init() {}

    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&parent)
        coder.amount(&limit)
        coder.amount(&used)
        coder.enumeration(&state)
    }

    /// What may be added to it; nothing if it is over its limits already.
    var room: QuotaAmount {
        guard state == .active else { return .unlimited }
        return QuotaAmount(
            bytes: limit.bytes == .max ? .max : limit.bytes - min(limit.bytes, used.bytes),
            inodes: limit.inodes == .max ? .max : limit.inodes - min(limit.inodes, used.inodes))
    }
}

/// How far the walk that moves a directory's entries from one tree to another has come. Layout after the format byte:
/// cookie u64: entries up to this one are done.
struct QuotaWalkPosition: StoredRecord, Equatable {
    var cookie: UInt64 = 0
    init() {}
    init(cookie: UInt64) { self.cookie = cookie }
    mutating func code(_ coder: inout WireCoder) { coder.integer(&cookie) }
}
