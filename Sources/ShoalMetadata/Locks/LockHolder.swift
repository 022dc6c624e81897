import ShoalTypes

/// Who has or wants a lock: an owner of one session. Owners of different sessions may have the same number.
struct LockHolder: Hashable, Comparable, Sendable {
    let session: SessionID
    let owner: LockOwner
    static func < (lhs: LockHolder, rhs: LockHolder) -> Bool {
        (lhs.session, lhs.owner) < (rhs.session, rhs.owner)
    }
}

/// One blocked request; the session chose the ticket.
struct LockWaitID: Hashable, Sendable {
    let session: SessionID
    let ticket: UInt64
}

/// What somebody wants to lock.
struct LockWish: Equatable, Sendable {
    let holder: LockHolder
    let range: LockRange
    let mode: LockMode
    /// As F_GETLK shows it.
    let process: UInt32
}

struct LockWaiter: Equatable, Sendable {
    let id: LockWaitID
    let wish: LockWish
}
