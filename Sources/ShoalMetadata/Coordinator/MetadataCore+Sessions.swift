import ShoalPlacement
import ShoalTypes
import ShoalWire

/// Sessions open, stay alive, and end: with a goodbye, or by expiry behind a fence.
extension MetadataCore {
    func openSession(_ message: OpenSessionRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard let peer = sessions.connection(connection), peer.role == .client || peer.role == .command else {
            return reply(request, .badRequest)
        }
        guard sessions.count < limits.sessionsMax else { return reply(request, .notReady) }
        if let former = peer.session { replaced(former) }
        var transaction = namespace.begin()
        let id = namespace.allocateSession(transaction)
        transaction.put(Keys.session(id), SessionRecord(label: message.label).stored())
        if let status = commit(transaction) { return reply(request, status) }
        let session = Session(id: id, label: message.label, phase: .active, deadline: now + limits.term, now: now)
        sessions.insert(session)
        sessions.attach(session, to: connection)
        note(.sessionOpened(id, label: message.label))
        welcome(session, request)
    }

    /// Its client goes on in another session, and has nothing of this one any more.
    private func replaced(_ session: Session) {
        detach(session)
        guard session.phase == .ending else { return }
        session.deadline = now
        finishIfOver(session)
    }

    func welcome(_ session: Session, _ request: RequestID) {
        let term = UInt32(clamping: limits.term.milliseconds)
        reply(
            request, OpenSessionReply(session: session.id, termMilliseconds: term, map: keeper.durable), isChange: true)
    }

    /// The session on this connection, in whatever phase but its end.
    func attached(_ id: SessionID, _ request: RequestID, _ connection: ConnectionID) -> Session? {
        guard let session = sessions[id], session.phase != .ending else {
            reply(request, .unknownSession)
            return nil
        }
        guard session.connection == connection else {
            reply(request, .staleConnection)
            return nil
        }
        return session
    }

    func heartbeat(_ id: SessionID, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = attached(id, request, connection) else { return }
        session.lastHeard = now
        // After a restart only `reclaimLeases` counts: others wait for it.
        if session.phase != .unclaimed { session.deadline = now + limits.term }
        reply(request, HeartbeatReply(epoch: keeper.durable.epoch, isSpaceLow: isSpaceLow))
    }

    /// A goodbye: everything it had is on the nodes, so nothing needs a fence.
    func closeSession(_ id: SessionID, _ request: RequestID, _ connection: ConnectionID) {
        guard let session = attached(id, request, connection) else { return }
        dropWaiting(of: session, .unknownSession)
        finish(session)
        note(.sessionClosed(id))
        reply(request, Empty(), isChange: true)
    }

    /// Ends a session without its consent; it is answered `.unknownSession` from now on. Its leases stand until the
    /// fence is durable and its term is over: until then it relies on them, unless it has heard of its end.
    func expire(_ session: Session, _ reason: MetadataEvent.ExpiryReason) {
        guard session.phase != .ending else { return }
        session.phase = .ending
        session.claims = [:]
        session.lockClaims = []
        note(.sessionExpired(session.id, label: session.label, reason: reason))
        dropWaiting(of: session, .unknownSession)
        _ = keeper.change { $0.fence(session.id) }
        keeper.await(.fenced(session.id))
    }

    func tickSessions() {
        for session in sessions.overdue(at: now) {
            if session.phase == .ending { finishIfOver(session) } else { expire(session, .silent) }
        }
    }

    func fenceIsDurable(_ session: Session) {
        session.isFenced = true
        finishIfOver(session)
    }

    private func finishIfOver(_ session: Session) {
        if session.isFenced, session.deadline <= now { finish(session) }
    }

    /// Takes the session and all that it had away. After an expiry, nodes refuse its writes by now.
    func finish(_ session: Session) {
        forget(session.id)
        session.order.forEach { entry in
            guard let holder = leases.holder(entry.inode, session.id), holder.sequence == entry.sequence else { return }
            if holder.mode == .part { uncountedFiles.insert(entry.inode) }
            lower(entry.inode, session, to: .none)
        }
        precondition(session.leaseCount == 0, "a session leaves leases behind")
        recalls.removeAll(of: session.id)
        removeLocks(of: session)
        sessions.remove(session)
        endGraceIfDone()
    }

    /// Deletes what the store has of a session: itself, its replies, its uploads.
    func forget(_ id: SessionID) {
        do throws(MetadataError) {
            var left = true
            while left {
                var transaction = namespace.begin()
                left = try transaction.abandonUploads(of: id, limit: 64) == 64
                _ = commit(transaction)
            }
            var keys: [[UInt8]] = [Keys.session(id)]
            let range = Keys.range(.sessionReply, id.rawValue)
            var transaction = namespace.begin()
            try transaction.scan(from: range.lower, to: range.upper) { key, _ in
                keys.append(Array(key))
                return true
            }
            for key in keys { transaction.delete(key) }
            _ = commit(transaction)
        } catch {
            _ = failed(error)
        }
    }
}
