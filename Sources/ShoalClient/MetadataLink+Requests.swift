import ShoalRPC
import ShoalTypes
import ShoalWire

/// Requests, from the caller to their answer.
extension MetadataLink {
    /// Sends the message that `make` builds for the caller it is given, and again after a lost connection, until
    /// `completion` has a reply or the deadline has passed (`.unreachable`). A change that a session which has ended
    /// may have executed is not sent in another: `.unknownSession`.
    func request<Message: WireMessage>(
        _ operation: Operation, isChange: Bool, deadline: Interval? = nil, _ make: @escaping (Caller) -> Message,
        completion: @escaping (Reply) -> Void
    ) {
        guard state != .closed else {
            scheduler.schedule(after: .milliseconds(0)) { completion(.failed(.unknownSession)) }
            return
        }
        var change: UInt64 = 0
        if isChange {
            lastChange += 1
            change = lastChange
        }
        let pending = Pending(
            change: change, deadline: scheduler.now + (deadline ?? limits.metadataDeadline),
            send: { [unowned self] caller, answered in
                peer.call(operation, make(caller), deadline: limits.metadataAttemptDeadline, completion: answered)
            }, complete: completion)
        if state == .open, queue.isEmpty, openChanges.admits(change) { start(pending) } else { queue.append(pending) }
    }

    private func start(_ pending: Pending) {
        let isRetry = pending.sentIn != nil
        let sentIn = session
        if isMoot(pending) { return finish(pending, .failed(.unknownSession)) }
        pending.sentIn = session
        openChanges.insert(pending.change)
        if isRetry { pending.wasRetried = true }
        pending.send(Caller(session: session, change: pending.change, isRetry: isRetry)) { [self] reply in
            answered(pending, sentIn: sentIn, reply)
        }
    }

    /// The session that may have executed the change is gone, and its record of replies with it.
    private func isMoot(_ pending: Pending) -> Bool {
        guard pending.change > 0, let sentIn = pending.sentIn else { return false }
        return sentIn != session
    }

    private func answered(_ pending: Pending, sentIn: SessionID, _ reply: Reply) {
        switch reply.status {
        case .unreachable, .notReady:
            guard scheduler.now < pending.deadline, state != .closed else {
                finish(pending, reply)
                break
            }
            enqueueAgain(pending)
        case .unknownSession:
            if sentIn == session { sessionIsGone() }
            if pending.change == 0, scheduler.now < pending.deadline, state != .closed {
                enqueueAgain(pending)
            } else {
                finish(pending, reply)
            }
        default:
            finish(pending, reply)
        }
        drain()
    }

    func finish(_ pending: Pending, _ reply: Reply) {
        openChanges.remove(pending.change)
        let outer = isAnswerOld
        isAnswerOld = pending.change > 0 && pending.wasRetried
        defer { isAnswerOld = outer }
        pending.complete(reply)
    }

    /// Back into the queue after a pause, in the order of the changes.
    private func enqueueAgain(_ pending: Pending) {
        scheduler.schedule(after: limits.retryPause) { [self] in
            let place = queue.firstIndex { $0.change > pending.change } ?? queue.endIndex
            queue.insert(pending, at: place)
            drain()
        }
    }

    func drain() {
        while state == .open, let first = queue.first, openChanges.admits(first.change) {
            queue.removeFirst()
            start(first)
        }
        guard state != .open, !queue.isEmpty else { return }
        let now = scheduler.now
        let ended = queue.filter { $0.deadline <= now || isMoot($0) }
        guard !ended.isEmpty else { return }
        queue.removeAll { $0.deadline <= now || isMoot($0) }
        for pending in ended { finish(pending, .failed(isMoot(pending) ? .unknownSession : .unreachable)) }
    }
}
