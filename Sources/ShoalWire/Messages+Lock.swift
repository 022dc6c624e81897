import ShoalTypes

/// Which owner's locks on which file.
package struct LockTarget: Hashable, Sendable {
    package var inode: InodeID
    package var kind: LockKind
    package var owner: LockOwner
    package init(inode: InodeID, kind: LockKind, owner: LockOwner) {
        self.inode = inode
        self.kind = kind
        self.owner = owner
    }
    package static let blank = LockTarget(inode: InodeID(0), kind: .record, owner: LockOwner(0))
}

extension WireCoder {
    mutating func lockTarget(_ value: inout LockTarget) {
        number(&value.inode)
        enumeration(&value.kind)
        number(&value.owner)
    }

    mutating func lockRange(_ value: inout LockRange) {
        integer(&value.first)
        integer(&value.last)
        if isDecoding, !value.isValid { fail() }
    }
}

/// fcntl(2) F_SETLK and F_SETLKW, flock(2): gives the range a mode, or takes it away. Answered at once, with
/// `SetLockReply`; `EAGAIN` if it conflicts and nobody waits, `EDEADLK`, `ENOLCK` past the server's limits. Executing it
/// twice is executing it once, as long as the session sends one owner's requests for a file one after the other.
package struct SetLockRequest: WireMessage, Equatable {
    package var session = SessionID.none
    package var target = LockTarget.blank
    /// With `.whole` it is `.whole`.
    package var range = LockRange.whole
    /// Nil unlocks.
    package var mode: LockMode?
    /// Shown by F_GETLK.
    package var process: UInt32 = 0
    /// Not 0: wait in the queue under this number, the session's own, if the lock is not free.
    package var ticket: UInt64 = 0
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&session)
        coder.lockTarget(&target)
        coder.lockRange(&range)
        coder.optional(&mode, blank: .shared) { $0.enumeration(&$1) }
        coder.integer(&process)
        coder.integer(&ticket)
    }
}

/// Not granted means queued: `locksGranted` with the ticket follows on the same connection. If that is lost first, the
/// wait has ended, and the session asks again.
package struct SetLockReply: WireMessage, Equatable {
    package var isGranted = true
    package init() {}
    package init(isGranted: Bool) { self.isGranted = isGranted }
    package mutating func code(_ coder: inout WireCoder) { coder.boolean(&isGranted) }
}

/// fcntl(2) F_GETLK: what is in the way of this lock?
package struct TestLockRequest: WireMessage, Equatable {
    package var session = SessionID.none
    package var target = LockTarget.blank
    package var range = LockRange.whole
    package var mode = LockMode.exclusive
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&session)
        coder.lockTarget(&target)
        coder.lockRange(&range)
        coder.enumeration(&mode)
    }
}

package struct TestLockReply: WireMessage, Equatable {
    package struct Conflict: Hashable, Sendable {
        package var range: LockRange
        package var mode: LockMode
        /// As its own machine numbers it.
        package var process: UInt32
        package init(range: LockRange, mode: LockMode, process: UInt32) {
            self.range = range
            self.mode = mode
            self.process = process
        }
    }
    /// The one with the lowest range; nil if the lock is free.
    package var conflict: Conflict?
    package init() {}
    package init(conflict: Conflict?) { self.conflict = conflict }
    package mutating func code(_ coder: inout WireCoder) {
        coder.optional(&conflict, blank: Conflict(range: .whole, mode: .shared, process: 0)) { coder, conflict in
            coder.lockRange(&conflict.range)
            coder.enumeration(&conflict.mode)
            coder.integer(&conflict.process)
        }
    }
}

/// The waiter was interrupted.
package struct CancelLockRequest: WireMessage, Equatable {
    package var session = SessionID.none
    package var ticket: UInt64 = 0
    package init() {}
    package init(session: SessionID, ticket: UInt64) {
        self.session = session
        self.ticket = ticket
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&session)
        coder.integer(&ticket)
    }
}

package struct CancelLockReply: WireMessage, Equatable {
    /// It waits no more and has no lock; false if the lock was granted before, which the session has been told.
    package var wasWaiting = false
    package init() {}
    package init(wasWaiting: Bool) { self.wasWaiting = wasWaiting }
    package mutating func code(_ coder: inout WireCoder) { coder.boolean(&wasWaiting) }
}

/// One lock as a session believes to hold it.
package struct HeldLock: Hashable, Sendable {
    package var target: LockTarget
    package var range: LockRange
    package var mode: LockMode
    package var process: UInt32
    package init(target: LockTarget, range: LockRange, mode: LockMode, process: UInt32) {
        self.target = target
        self.range = range
        self.mode = mode
        self.process = process
    }
    package static let blank = HeldLock(target: .blank, range: .whole, mode: .shared, process: 0)
}

/// After a reconnection, before the last `reclaimLeases`: the session has these locks and no others. Sent in parts, and
/// not at all for none. Reply: empty.
package struct ReclaimLocksRequest: WireMessage, Equatable {
    package static let locksMax = 65_536
    package var session = SessionID.none
    package var locks: [HeldLock] = []
    package init() {}
    package init(session: SessionID, locks: [HeldLock]) {
        self.session = session
        self.locks = locks
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&session)
        coder.list(&locks, max: Self.locksMax, minimumBytes: 38, blank: HeldLock.blank) { coder, lock in
            coder.lockTarget(&lock.target)
            coder.lockRange(&lock.range)
            coder.enumeration(&lock.mode)
            coder.integer(&lock.process)
        }
    }
}

/// Metadata server -> client, a notice: these waits have ended with the lock.
package struct LocksGrantedNotice: WireMessage, Equatable {
    package static let ticketsMax = 65_536
    package var tickets: [UInt64] = []
    package init() {}
    package init(tickets: [UInt64]) { self.tickets = tickets }
    package mutating func code(_ coder: inout WireCoder) {
        coder.list(&tickets, max: Self.ticketsMax, minimumBytes: 8, blank: 0) { $0.integer(&$1) }
    }
}
