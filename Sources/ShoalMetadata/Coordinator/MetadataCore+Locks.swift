import ShoalTypes
import ShoalWire

/// Record locks and flock. Every request is answered at once: who has to wait is told so, and later that it has the
/// lock, so that no wait holds up a connection or a slot in one.
extension MetadataCore {
    func setLock(_ message: SetLockRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = caller(message.session, request, connection) else { return }
        let file = LockTable.File(inode: message.target.inode, kind: message.target.kind)
        let holder = LockHolder(session: session.id, owner: message.target.owner)
        guard file.kind == .record || message.range == .whole else { return reply(request, .badRequest) }
        var granted: [LockWaitID] = []
        guard let mode = message.mode else {
            let isDone = locks.unlock(message.range, of: holder, on: file, granted: &granted)
            if isDone { reply(request, SetLockReply()) } else { reply(request, .failed(.noLocks)) }
            return announce(granted)
        }
        let wait = message.ticket == 0 ? nil : LockWaitID(session: session.id, ticket: message.ticket)
        // A second copy of a request that waits.
        if let wait, locks.isWaiting(wait) { return reply(request, SetLockReply(isGranted: false)) }
        let wish = LockWish(holder: holder, range: message.range, mode: mode, process: message.process)
        switch locks.lock(wish, on: file, wait: wait, granted: &granted) {
        case .granted: reply(request, SetLockReply())
        case .queued: reply(request, SetLockReply(isGranted: false))
        case .busy: reply(request, .failed(.tryAgain))
        case .deadlock: reply(request, .failed(.deadlock))
        case .overLimit: reply(request, .failed(.noLocks))
        }
        announce(granted)
    }

    func testLock(_ message: TestLockRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = caller(message.session, request, connection) else { return }
        let wish = LockWish(
            holder: LockHolder(session: session.id, owner: message.target.owner), range: message.range,
            mode: message.mode, process: 0)
        let file = LockTable.File(inode: message.target.inode, kind: message.target.kind)
        reply(request, TestLockReply(conflict: locks.conflict(with: wish, on: file)))
    }

    func cancelLock(_ message: CancelLockRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = caller(message.session, request, connection) else { return }
        let wasWaiting = locks.cancel(LockWaitID(session: session.id, ticket: message.ticket))
        reply(request, CancelLockReply(wasWaiting: wasWaiting))
    }

    /// Tells the sessions whose waits have ended. Each of them has a connection: without one it does not wait.
    private func announce(_ granted: [LockWaitID]) {
        guard !granted.isEmpty else { return }
        var order: [SessionID] = []
        var tickets: [SessionID: [UInt64]] = [:]
        for wait in granted {
            if tickets[wait.session] == nil { order.append(wait.session) }
            tickets[wait.session, default: []].append(wait.ticket)
        }
        for session in order {
            guard let connection = sessions[session]?.answeringConnection, let all = tickets[session] else { continue }
            var rest = all[...]
            while !rest.isEmpty {
                let part = rest.prefix(LocksGrantedNotice.ticketsMax)
                act(.grantLocks(LocksGrantedNotice(tickets: Array(part)), to: connection))
                rest = rest.dropFirst(part.count)
            }
        }
    }

    // MARK: Sessions

    func removeLocks(of session: Session) {
        var granted: [LockWaitID] = []
        locks.removeAll(of: session.id, granted: &granted)
        announce(granted)
    }

    /// Kept until the session has said the last of its leases.
    func reclaimLocks(_ message: ReclaimLocksRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = attached(message.session, request, connection) else { return }
        guard session.lockClaims.count + message.locks.count <= 2 * limits.locks.locksPerSessionMax,
            message.locks.allSatisfy({ $0.target.kind == .record || $0.range == .whole })
        else { return reply(request, .badRequest) }
        session.lastHeard = now
        session.lockClaims += message.locks
        reply(request, Empty())
    }

    /// From now on the session holds what it claimed and nothing else. An honest session claims only what it was given,
    /// and after a restart nobody else has been given anything yet.
    /// - Returns: an inode on which another session's lock is in the way.
    func acceptLocks(of session: Session) -> InodeID? {
        let claims = session.lockClaims
        session.lockClaims = []
        var granted: [LockWaitID] = []
        defer { announce(granted) }
        return locks.reclaim(claims, for: session.id, granted: &granted)
    }

    func checkLockInvariants() {
        locks.checkInvariants()
        for session in sessions.inOrder where session.answeringConnection == nil {
            precondition(!locks.hasWaiters(session.id), "session \(session.id) waits where nobody can tell it")
        }
    }
}
