import ShoalTypes

/// One session's lease on one inode. Its mode is never `.none`.
struct LeaseHolder: Equatable, Sendable {
    var session: SessionID
    var sequence: LeaseSequence
    var mode: LeaseMode
    /// Of a writer, until it commits: there may be bytes past the end that nobody acknowledged.
    var tailUnclean = false

    /// What a writer that has finished may keep.
    var idleMode: LeaseMode { mode == .write ? .read : .pin }
}

/// What a `.part` is besides.
struct LeasePart: Equatable, Sendable {
    var extent: LeaseExtent
    /// What the file takes, as the holder counts: it knows what it has changed itself. Nil until it has said so.
    var allocatedBytes: UInt64?
}

/// Who holds what lease, in memory only: sessions say again what they hold after a restart.
///
/// An inode's first holder takes at most 110 bytes (a dictionary entry of 40 bytes at the least load factor), every
/// further one 24, and each lease 16 more, at most 32 for a while, in its session's `LeaseOrder`. Parts take 110 more.
struct LeaseTable {
    private struct Holders {
        var first: LeaseHolder
        /// In the order of their first grant.
        var others: [LeaseHolder] = []
    }
    private var inodes: [InodeID: Holders] = [:]
    private var parts: [Recalls.Key: LeasePart] = [:]
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

    /// Who may have changed content, size or times and not said so yet: one of the whole, or several of parts.
    func writers(of inode: InodeID, besides session: SessionID) -> [LeaseHolder] {
        var writers: [LeaseHolder] = []
        forEach(of: inode, besides: session, above: .pin) { if $0.mode.allowsWriting { writers.append($0) } }
        return writers
    }

    func isWritten(_ inode: InodeID, besides session: SessionID) -> Bool {
        var found = false
        forEach(of: inode, besides: session, above: .pin) { found = found || $0.mode.allowsWriting }
        return found
    }

    /// The part of a holder of one.
    func part(_ inode: InodeID, _ session: SessionID) -> LeasePart? {
        parts.isEmpty ? nil : parts[Recalls.Key(inode: inode, session: session)]
    }

    /// Whether `holder` may be asked to keep what it has while another uses `chunks` in this mode.
    func isCompatible(_ holder: LeaseHolder, _ inode: InodeID, with mode: LeaseMode, of chunks: LeaseExtent) -> Bool {
        switch (mode, holder.mode) {
        case (.none, _), (.pin, _), (_, .none), (_, .pin): true
        case (.read, .read), (.names, .names), (.names, .read), (.read, .names): true
        case (.part, .part): part(inode, holder.session).map { !$0.extent.overlaps(chunks) } ?? false
        default: false
        }
    }

    /// Adds the session's lease or replaces the one it has. Returns whether it is an additional one.
    mutating func set(_ inode: InodeID, _ holder: LeaseHolder, part: LeasePart? = nil) -> Bool {
        precondition(holder.mode != .none, "a lease without a mode is removed")
        precondition((holder.mode == .part) == (part != nil), "an extent belongs to a part")
        let key = Recalls.Key(inode: inode, session: holder.session)
        if part != nil || !parts.isEmpty { parts[key] = part }
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
        if !parts.isEmpty { parts[Recalls.Key(inode: inode, session: session)] = nil }
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

    /// The law of the whole design: a writer is alone but for pins, with what it may write.
    func isExclusive(_ inode: InodeID) -> Bool {
        let holders = holders(of: inode)
        guard holders.contains(where: \.mode.allowsWriting) else { return true }
        return holders.allSatisfy { one in
            let extent = part(inode, one.session)?.extent ?? .whole
            return holders.allSatisfy {
                $0.session == one.session || isCompatible($0, inode, with: one.mode, of: extent)
            }
        }
    }

    func checkInvariants() {
        precondition(inodes.keys.allSatisfy(isExclusive), "a writer beside readers or writers")
        precondition(
            parts.keys.allSatisfy { mode($0.inode, $0.session) == .part }, "an extent without a lease")
        precondition(count == inodes.values.reduce(0) { $0 + 1 + $1.others.count }, "the count of leases is off")
    }
}
