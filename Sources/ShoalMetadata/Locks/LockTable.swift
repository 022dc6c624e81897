import ShoalTypes
import ShoalWire

/// All locks of the cluster, in memory only: after a restart sessions say again what they hold.
struct LockTable: Sendable {
    struct File: Hashable, Comparable, Sendable {
        let inode: InodeID
        let kind: LockKind
        static func < (lhs: File, rhs: File) -> Bool { (lhs.inode, lhs.kind) < (rhs.inode, rhs.kind) }
    }
    enum Outcome: Equatable {
        case granted
        case queued
        /// It conflicts, and nobody waits.
        case busy
        case deadlock
        case overLimit
    }
    private struct Wait {
        let file: File
        let wish: LockWish
    }
    private struct SessionLocks {
        /// Where it holds something.
        var files: [File: Int] = [:]
        var spanCount = 0
        var waits: Set<LockWaitID> = []
        var isEmpty: Bool { files.isEmpty && waits.isEmpty }
    }

    let limits: LockLimits
    private var files: [File: RecordLocks] = [:]
    private var sessions: [SessionID: SessionLocks] = [:]
    private var waits: [LockWaitID: Wait] = [:]
    /// The waits for record locks of each owner: the arrows of a circle.
    private var waitsOfOwner: [LockHolder: [LockWaitID]] = [:]

    init(limits: LockLimits) { self.limits = limits }

    var isEmpty: Bool { files.isEmpty }
    var waiterCount: Int { waits.count }
    func isWaiting(_ id: LockWaitID) -> Bool { waits[id] != nil }
    func locks(of file: File) -> RecordLocks { files[file] ?? RecordLocks() }
    func hasWaiters(_ session: SessionID) -> Bool { sessions[session].map { !$0.waits.isEmpty } ?? false }

    func conflict(with wish: LockWish, on file: File) -> TestLockReply.Conflict? {
        files[file]?.conflict(with: wish)
    }

    // MARK: Requests

    /// Locks, or queues the wish under `wait` if it is given. `granted` gets the waits that end by it.
    mutating func lock(
        _ wish: LockWish, on file: File, wait: LockWaitID?, granted: inout [LockWaitID]
    ) -> Outcome {
        let isFree = files[file]?.isFree(wish) ?? true
        let hadSpans = files[file]?.spans(of: wish.holder) ?? LockSpans()
        if isFree {
            guard hasRoom(for: wish, on: file, hadSpans) else { return .overLimit }
            let isLowering = wish.mode == .shared && hadSpans.overlaps(wish.range)
            let added = files[file, default: RecordLocks()].grant(wish)
            account(added, wish.holder, file)
            if isLowering { grantWaiters(of: file, &granted) }
            return .granted
        }
        if file.kind == .whole, !hadSpans.isEmpty {
            // flock(2): a conversion releases first.
            unlock(.whole, of: wish.holder, on: file, &granted)
        }
        guard let wait else { return .busy }
        if file.kind == .record, closesCircle(wish, on: file) { return .deadlock }
        guard (sessions[wish.holder.session]?.waits.count ?? 0) < limits.waitersPerSessionMax,
            waits.count < limits.waitersMax
        else { return .overLimit }
        files[file, default: RecordLocks()].enqueue(LockWaiter(id: wait, wish: wish))
        waits[wait] = Wait(file: file, wish: wish)
        sessions[wish.holder.session, default: SessionLocks()].waits.insert(wait)
        if file.kind == .record { waitsOfOwner[wish.holder, default: []].append(wait) }
        return .queued
    }

    private func hasRoom(for wish: LockWish, on file: File, _ spans: LockSpans) -> Bool {
        let ofFile = files[file]?.spanCount ?? 0
        let ofSession = sessions[wish.holder.session]?.spanCount ?? 0
        // One lock splits one other at most.
        guard ofFile + 2 > limits.locksPerFileMax || ofSession + 2 > limits.locksPerSessionMax else { return true }
        var after = spans
        after.set(wish.range, wish.mode)
        let added = after.count - spans.count
        return added <= 0
            || (ofFile + added <= limits.locksPerFileMax && ofSession + added <= limits.locksPerSessionMax)
    }

    /// Unlocks; false if that would split a lock and leave too many.
    mutating func unlock(
        _ range: LockRange, of holder: LockHolder, on file: File, granted: inout [LockWaitID]
    ) -> Bool {
        guard let locks = files[file] else { return true }
        if locks.spanCount >= limits.locksPerFileMax {
            var after = locks.spans(of: holder)
            let before = after.count
            after.set(range, nil)
            guard after.count <= before else { return false }
        }
        unlock(range, of: holder, on: file, &granted)
        return true
    }

    private mutating func unlock(
        _ range: LockRange, of holder: LockHolder, on file: File, _ granted: inout [LockWaitID]
    ) {
        guard files[file]?.spans(of: holder).overlaps(range) == true else { return }
        let added = files[file]?.unlock(range, of: holder) ?? 0
        account(added, holder, file)
        grantWaiters(of: file, &granted)
    }

    /// Ends a wait without the lock. Returns whether there was one.
    mutating func cancel(_ id: LockWaitID) -> Bool {
        guard let wait = waits[id] else { return false }
        files[wait.file]?.removeWaiter(id)
        forget(id, wait)
        tidy(wait.file)
        return true
    }

    private mutating func grantWaiters(of file: File, _ granted: inout [LockWaitID]) {
        for (waiter, added) in files[file]?.grantWaiters() ?? [] {
            if let wait = waits[waiter.id] { forget(waiter.id, wait) }
            account(added, waiter.wish.holder, file)
            granted.append(waiter.id)
        }
        tidy(file)
    }

    private mutating func forget(_ id: LockWaitID, _ wait: Wait) {
        waits[id] = nil
        sessions[id.session]?.waits.remove(id)
        if sessions[id.session]?.isEmpty == true { sessions[id.session] = nil }
        guard let others = waitsOfOwner[wait.wish.holder]?.filter({ $0 != id }) else { return }
        waitsOfOwner[wait.wish.holder] = others.isEmpty ? nil : others
    }

    private mutating func tidy(_ file: File) {
        if files[file]?.isEmpty == true { files[file] = nil }
    }

    /// A holder's spans of a file have become `added` more.
    private mutating func account(_ added: Int, _ holder: LockHolder, _ file: File) {
        guard added != 0 else { return tidy(file) }
        var session = sessions[holder.session] ?? SessionLocks()
        session.spanCount += added
        let left = (session.files[file] ?? 0) + added
        session.files[file] = left == 0 ? nil : left
        sessions[holder.session] = session.isEmpty ? nil : session
        tidy(file)
    }

    // MARK: Circles

    /// Whether somebody in the way of the wish waits, over however many others, for its holder (fcntl(2) EDEADLK). Only
    /// waits for record locks count.
    private func closesCircle(_ wish: LockWish, on file: File) -> Bool {
        guard !waitsOfOwner.isEmpty else { return false }
        var ahead = files[file]?.blockers(of: wish) ?? []
        var seen: Set<LockHolder> = []
        while let next = ahead.popLast() {
            if next == wish.holder { return true }
            guard seen.insert(next).inserted else { continue }
            // A shared lock of many is many arrows.
            if seen.count > limits.deadlockOwnersMax || ahead.count > 16 * limits.deadlockOwnersMax { return false }
            for id in waitsOfOwner[next] ?? [] {
                guard let wait = waits[id] else { continue }
                ahead += files[wait.file]?.blockers(of: wait.wish) ?? []
            }
        }
        return false
    }

    // MARK: Sessions

    /// The session is not there to be told: its waits end.
    mutating func dropWaiters(of session: SessionID) {
        guard let waits = sessions[session]?.waits, !waits.isEmpty else { return }
        for id in waits { _ = cancel(id) }
    }

    /// The session has ended, with all that it had.
    mutating func removeAll(of session: SessionID, granted: inout [LockWaitID]) {
        dropWaiters(of: session)
        for file in (sessions[session]?.files.keys.sorted() ?? []) {
            for holder in locks(of: file).holdings.keys.filter({ $0.session == session }).sorted() {
                let added = files[file]?.unlock(.whole, of: holder) ?? 0
                account(added, holder, file)
            }
            grantWaiters(of: file, &granted)
        }
        precondition(sessions[session] == nil, "a session leaves locks behind")
    }

    /// After a reconnection the session holds exactly this; what it had besides is free.
    /// - Returns: the first inode on which somebody else's lock is in the way; then it holds none of it.
    mutating func reclaim(
        _ claims: [HeldLock], for session: SessionID, granted: inout [LockWaitID]
    ) -> InodeID? {
        var wanted: [File: [LockHolder: RecordLocks.Holding]] = [:]
        for claim in claims {
            let file = File(inode: claim.target.inode, kind: claim.target.kind)
            let holder = LockHolder(session: session, owner: claim.target.owner)
            wanted[file, default: [:]][holder, default: RecordLocks.Holding()].spans.set(claim.range, claim.mode)
            wanted[file]?[holder]?.process = claim.process
        }
        dropWaiters(of: session)
        let known = Set(sessions[session]?.files.keys.map { $0 } ?? [])
        for file in known.union(wanted.keys).sorted() {
            var locks = locks(of: file)
            for holder in locks.holdings.keys.filter({ $0.session == session }).sorted() {
                account(locks.unlock(.whole, of: holder), holder, file)
            }
            files[file] = locks
            for (holder, holding) in (wanted[file] ?? [:]).sorted(by: { $0.key < $1.key }) {
                let conflicts = holding.spans.spans.contains { span in
                    !locks.isFree(LockWish(holder: holder, range: span.range, mode: span.mode, process: 0))
                }
                if conflicts {
                    tidy(file)
                    removeAll(of: session, granted: &granted)
                    return file.inode
                }
                account(locks.replace(holding.spans, of: holder, process: holding.process), holder, file)
                files[file] = locks
            }
            grantWaiters(of: file, &granted)
        }
        return nil
    }

    // MARK: Laws

    /// Costly: for tests and simulation.
    func checkInvariants() {
        var waiting = 0
        var spans = 0
        for (file, locks) in files {
            locks.checkInvariants()
            precondition(!locks.isEmpty, "an empty table is kept")
            spans += locks.spanCount
            waiting += locks.waiters.count
            for waiter in locks.waiters { precondition(waits[waiter.id]?.file == file, "a waiter is not known") }
        }
        precondition(waiting == waits.count, "waits without a waiter")
        precondition(spans == sessions.values.reduce(0) { $0 + $1.spanCount }, "the sessions' count of locks is off")
        precondition(waiting == sessions.values.reduce(0) { $0 + $1.waits.count }, "the sessions' waits are off")
        let ofOwners = waitsOfOwner.values.reduce(0) { $0 + $1.count }
        precondition(ofOwners == waits.values.count { $0.file.kind == .record }, "the owners' waits are off")
    }
}
