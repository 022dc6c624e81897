import ShoalTypes

/// One session's lease on one inode. Its mode is never `.none`.
struct LeaseHolder: Equatable, Sendable {
    var session: SessionID
    var sequence: LeaseSequence
    var mode: LeaseMode
    /// Of a writer, until it commits: there may be bytes past the end that nobody acknowledged.
    var tailUnclean = false
}

/// Who holds what lease, in memory only: sessions say again what they hold after a restart.
///
/// An inode's first holder takes at most 110 bytes (a dictionary entry of 40 bytes at the least load factor), every
/// further one 24, and each lease 16 more, at most 32 for a while, in its session's `LeaseOrder`.
struct LeaseTable {
    private struct Holders {
        var first: LeaseHolder
        /// In the order of their first grant.
        var others: [LeaseHolder] = []
    }
    private var inodes: [InodeID: Holders] = [:]
    private(set) var count = 0

    func isHeld(_ inode: InodeID) -> Bool { inodes[inode] != nil }

    func holder(_ inode: InodeID, _ session: SessionID) -> LeaseHolder? {
        guard let holders = inodes[inode] else { return nil }
        if holders.first.session == session { return holders.first }
        return holders.others.first { $0.session == session }
    }

    func mode(_ inode: InodeID, _ session: SessionID) -> LeaseMode { holder(inode, session)?.mode ?? .none }

    /// Every other session's lease on the inode that is above `mode`.
    @inline(__always)
    func forEach(of inode: InodeID, besides session: SessionID, above mode: LeaseMode, _ body: (LeaseHolder) -> Void) {
        guard let holders = inodes[inode] else { return }
        if holders.first.session != session, holders.first.mode > mode { body(holders.first) }
        for holder in holders.others where holder.session != session && holder.mode > mode { body(holder) }
    }

    func isHeld(_ inode: InodeID, besides session: SessionID, above mode: LeaseMode) -> Bool {
        var found = false
        forEach(of: inode, besides: session, above: mode) { _ in found = true }
        return found
    }

    func writer(of inode: InodeID, besides session: SessionID) -> LeaseHolder? {
        var writer: LeaseHolder?
        forEach(of: inode, besides: session, above: .read) { writer = $0 }
        return writer
    }

    /// Adds the session's lease or replaces the one it has. Returns whether it is an additional one.
    mutating func set(_ inode: InodeID, _ holder: LeaseHolder) -> Bool {
        precondition(holder.mode != .none, "a lease without a mode is removed")
        defer { assert(isExclusive(inode), "a writer beside readers or writers of inode \(inode)") }
        guard let index = inodes.index(forKey: inode) else {
            inodes[inode] = Holders(first: holder)
            count += 1
            return true
        }
        if inodes.values[index].first.session == holder.session {
            inodes.values[index].first = holder
            return false
        }
        if let other = inodes.values[index].others.firstIndex(where: { $0.session == holder.session }) {
            inodes.values[index].others[other] = holder
            return false
        }
        inodes.values[index].others.append(holder)
        count += 1
        return true
    }

    /// Returns whether the session had a lease.
    mutating func remove(_ inode: InodeID, _ session: SessionID) -> Bool {
        guard let index = inodes.index(forKey: inode) else { return false }
        if inodes.values[index].first.session == session {
            if inodes.values[index].others.isEmpty {
                inodes.remove(at: index)
            } else {
                inodes.values[index].first = inodes.values[index].others.removeFirst()
            }
        } else if let other = inodes.values[index].others.firstIndex(where: { $0.session == session }) {
            inodes.values[index].others.remove(at: other)
        } else {
            return false
        }
        count -= 1
        return true
    }

    func holders(of inode: InodeID) -> [LeaseHolder] {
        guard let holders = inodes[inode] else { return [] }
        return [holders.first] + holders.others
    }

    /// The law of the whole design: a writer is alone but for pins.
    func isExclusive(_ inode: InodeID) -> Bool {
        let holders = holders(of: inode)
        let writers = holders.count { $0.mode == .write }
        return writers == 0 || (writers == 1 && !holders.contains { $0.mode == .read })
    }

    func checkInvariants() {
        precondition(inodes.keys.allSatisfy(isExclusive), "a writer beside readers or writers")
        precondition(count == inodes.values.reduce(0) { $0 + 1 + $1.others.count }, "the count of leases is off")
    }
}
