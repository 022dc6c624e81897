import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The session: opening, reclaiming, heartbeats, its end.
extension MetadataLink {
    /// While there is no server, requests still meet their deadlines.
    func sweepWhileConnecting(attempt: Int) {
        scheduler.schedule(after: .milliseconds(500)) { [weak self] in
            guard let self, state == .connecting, attempt == openingAttempt else { return }
            drain()
            sweepWhileConnecting(attempt: attempt)
        }
    }

    func openOrReclaim(attempt: Int) {
        guard state != .closed, attempt == openingAttempt else { return }
        let sentAt = scheduler.now
        let done: (Reply) -> Void = { [weak self] reply in
            self?.openingAnswered(reply, sentAt: sentAt, attempt: attempt)
        }
        if session == .none {
            peer.call(
                .openSession, OpenSessionRequest(label: label), deadline: limits.metadataAttemptDeadline,
                completion: done)
            return
        }
        let partMax = 20_000
        var locks = events.heldLocks()[...]
        while !locks.isEmpty {
            let part = Array(locks.prefix(partMax))
            locks = locks.dropFirst(part.count)
            peer.call(
                .reclaimLocks, ReclaimLocksRequest(session: session, locks: part),
                deadline: limits.metadataAttemptDeadline, completion: { _ in })
        }
        var leases = events.heldLeases()[...]
        while leases.count > partMax {
            let part = Array(leases.prefix(partMax))
            leases = leases.dropFirst(partMax)
            peer.call(
                .reclaimLeases, ReclaimLeasesRequest(session: session, leases: part, isLast: false),
                deadline: limits.metadataAttemptDeadline, completion: { _ in })
        }
        peer.call(
            .reclaimLeases, ReclaimLeasesRequest(session: session, leases: Array(leases), isLast: true),
            deadline: limits.metadataAttemptDeadline, completion: done)
    }

    private func openingAnswered(_ reply: Reply, sentAt: MonotonicInstant, attempt: Int) {
        guard state != .closed, attempt == openingAttempt else { return }
        switch reply.decode(OpenSessionReply.self) {
        case .success(let opened):
            let isNew = opened.session != session
            session = opened.session
            termMilliseconds = Int64(opened.termMilliseconds)
            extendLeases(heardAt: sentAt)
            state = .open
            events.opened(opened, isNew)
            drain()
            if !heartbeatIsRunning { heartbeat() }
        case .failure(.unknownSession):
            sessionIsGone()
        case .failure(.unreachable):
            break  // The connection will come back, and with it the next attempt.
        case .failure(let status):
            if status != .notReady { logger.error("the metadata server refused the session: \(status)") }
            scheduler.schedule(after: .milliseconds(50)) { [weak self] in self?.openOrReclaim(attempt: attempt) }
        }
    }

    /// A request of that session, sent without `request`, was answered `.unknownSession`.
    func sessionEnded(_ ended: SessionID) {
        if ended == session { sessionIsGone() }
    }

    func sessionIsGone() {
        guard session != .none, state != .closed else { return }
        logger.error("session \(session) has expired at the metadata server: what it had not written is lost")
        session = .none
        // The kernel counts from when it takes an answer in.
        let leasesEnded = leasesEnd + limits.nameValidityMargin
        leasesEnd = MonotonicInstant(0)
        state = .connecting
        openingAttempt += 1
        let attempt = openingAttempt
        // A new session tells the server that nothing of the old one is in use any more: not before the kernel has
        // forgotten what it shows, or may not show it any longer.
        var isOver = false
        let open = { [weak self] in
            guard let self, !isOver else { return }
            isOver = true
            openOrReclaim(attempt: attempt)
        }
        events.lost(open)
        // Pages do not end by themselves.
        if !isOver { scheduler.schedule(after: max(leasesEnded - scheduler.now, limits.pageDropDeadline * 2), open) }
        drain()
    }

    /// A quarter of the term is kept back: for the difference between clocks, and for what is under way.
    private func extendLeases(heardAt instant: MonotonicInstant) {
        let end = instant + .milliseconds(termMilliseconds * 3 / 4)
        if end > leasesEnd { leasesEnd = end }
    }

    /// Four per term, the first at once.
    private func heartbeat() {
        heartbeatIsRunning = state != .closed
        guard heartbeatIsRunning else { return }
        if state == .open { sendHeartbeat() }
        scheduler.schedule(after: .milliseconds(termMilliseconds / 4)) { [weak self] in self?.heartbeat() }
    }

    private func sendHeartbeat() {
        let sentAt = scheduler.now
        let sentIn = session
        peer.call(
            .heartbeat, SessionRequest(session: session), deadline: .milliseconds(termMilliseconds)
        ) { [weak self] reply in
            guard let self, sentIn == session else { return }
            switch reply.decode(HeartbeatReply.self) {
            case .success(let message):
                extendLeases(heardAt: sentAt)
                isSpaceLow = message.isSpaceLow
            case .failure(.unknownSession): sessionIsGone()
            case .failure: break  // The next one, or the lost connection, tells more.
            }
        }
    }

    /// Ends the session in order; the server frees its leases at once.
    func close(completion: @escaping () -> Void) {
        guard state == .open else {
            finishClosing()
            completion()
            return
        }
        peer.call(.closeSession, SessionRequest(session: session), deadline: .seconds(3)) { [self] _ in
            finishClosing()
            completion()
        }
    }

    private func finishClosing() {
        state = .closed
        let left = queue
        queue = []
        for pending in left { finish(pending, .failed(.unreachable)) }
        network.close(peer)
    }
}
