import ShoalRPC
import ShoalTypes
import ShoalWire

/// The way of one lock call: sent, answered or queued, sent again. One call of an owner is under way at a time.
extension Client {
    func mayHoldLocks(_ target: LockTarget, _ range: LockRange) -> Bool {
        guard let owner = locks.owners[target] else { return false }
        return !owner.calls.isEmpty || owner.spans.overlaps(range)
    }

    func unlockAll(_ target: LockTarget, completion: @escaping Completion<Void>) {
        guard mayHoldLocks(target, .whole) else { return completion(.success(())) }
        submitLock(
            LockCall(
                target: target, file: nil, range: .whole, mode: nil, process: 0, waits: false,
                ticket: locks.nextTicket(), deadline: scheduler.now + limits.metadataDeadline, completion: completion))
    }

    func submitLock(_ call: LockCall) {
        locks.update(call.target) { owner in
            owner.calls.append(call)
            if let file = call.file { owner.files.insert(file) }
        }
        advanceLocks(call.target)
    }

    /// Sends the owner's first call, if it is not under way.
    func advanceLocks(_ target: LockTarget) {
        guard let call = locks.owners[target]?.calls.first, call.state == .unsent else { return }
        guard metadata.state == .open else {
            return call.isInterrupted ? abandonLock(call, .interrupted) : watchLockDeadline(of: call)
        }
        call.state = .sent
        call.attempt += 1
        let mayHaveRun = call.mayHaveRun
        call.mayHaveRun = true
        let attempt = call.attempt
        let session = metadata.session
        metadata.peer.call(.setLock, call.request(in: session), deadline: limits.metadataAttemptDeadline) {
            [self] reply in
            guard call.state == .sent, call.attempt == attempt else { return }
            if reply.status == .notReady { call.mayHaveRun = mayHaveRun }
            lockAnswered(call, sentIn: session, reply)
        }
    }

    private func lockAnswered(_ call: LockCall, sentIn session: SessionID, _ reply: Reply) {
        switch reply.decode(SetLockReply.self) {
        case .success(let answer) where answer.isGranted: lockGranted(call)
        case .success: lockQueued(call)
        case .failure(.failed(let error)):
            if call.mode != nil { flockConverted(call) }
            dropLock(call)
            finishLock(call, .failure(error))
        case .failure(.unknownSession):
            call.state = .unsent
            metadata.sessionEnded(session)
        case .failure(.unreachable), .failure(.notReady), .failure(.staleConnection):
            call.state = .unsent
            if call.isInterrupted, !call.mayHaveRun { return abandonLock(call, .interrupted) }
            if scheduler.now >= call.deadline { return lockDeadlinePassed(call) }
            scheduler.schedule(after: limits.retryPause) { [self] in advanceLocks(call.target) }
        case .failure(let status):
            dropLock(call)
            finishLock(call, .failure(status.fileError))
        }
        advanceLocks(call.target)
    }

    /// The server has done what the call asked for.
    func lockGranted(_ call: LockCall) {
        locks.update(call.target) { owner in
            owner.spans.set(call.range, call.mode)
            if call.mode != nil { owner.process = call.process }
        }
        dropLock(call)
        finishLock(call, .success(()))
        advanceLocks(call.target)
    }

    private func lockQueued(_ call: LockCall) {
        guard call.waits else {
            dropLock(call)
            return finishLock(call, .failure(.inputOutput))
        }
        flockConverted(call)
        call.state = .queued
        locks.queued[call.ticket] = call
        locks.update(call.target) { owner in
            owner.queuedCount += 1
            owner.calls.removeAll { $0 === call }
        }
        if call.isInterrupted { cancelLock(call) }
    }

    /// flock(2): a conversion that cannot be done at once has released what was held.
    private func flockConverted(_ call: LockCall) {
        guard call.target.kind == .whole else { return }
        locks.update(call.target) { $0.spans.set(.whole, nil) }
    }

    func locksGranted(_ tickets: [UInt64]) {
        for ticket in tickets {
            if let call = locks.queued[ticket] { lockGranted(call) }
        }
    }

    func cancelLock(_ call: LockCall) {
        guard metadata.state == .open else { return abandonLock(call, .interrupted) }
        call.state = .cancelling
        let message = CancelLockRequest(session: metadata.session, ticket: call.ticket)
        metadata.peer.call(.cancelLock, message, deadline: limits.metadataAttemptDeadline) { [self] reply in
            guard call.state == .cancelling else { return }
            switch reply.status {
            case .unreachable, .notReady, .staleConnection:
                scheduler.schedule(after: limits.retryPause) { [self] in
                    if call.state == .cancelling { cancelLock(call) }
                }
            default:
                // A grant before it would have been told before it.
                abandonLock(call, .interrupted)
            }
        }
    }

    /// Takes the call out of wherever it is.
    func dropLock(_ call: LockCall) {
        let wasQueued = locks.queued.removeValue(forKey: call.ticket) != nil
        locks.update(call.target) { owner in
            if wasQueued { owner.queuedCount -= 1 } else { owner.calls.removeAll { $0 === call } }
        }
    }

    func finishLock(_ call: LockCall, _ result: Result<Void, FileError>) {
        call.state = .done
        call.answer(result)
    }

    func abandonLock(_ call: LockCall, _ error: FileError) {
        if metadata.state != .open { lowerClaims(by: call) }
        dropLock(call)
        finishLock(call, .failure(error))
        advanceLocks(call.target)
    }

    /// The server has not answered. Whoever unlocks is told so, and the unlocking goes on: nobody else would do it.
    private func lockDeadlinePassed(_ call: LockCall) {
        guard call.mode == nil else { return abandonLock(call, .timedOut) }
        call.answer(.failure(.timedOut))
        guard metadata.state == .open else { return }
        scheduler.schedule(after: limits.retryPause) { [self] in advanceLocks(call.target) }
    }

    private func watchLockDeadline(of call: LockCall) {
        guard !call.hasDeadlineTimer else { return }
        call.hasDeadlineTimer = true
        let left = max(call.deadline - scheduler.now, .milliseconds(0))
        scheduler.schedule(after: left) { [self] in
            call.hasDeadlineTimer = false
            if call.state == .unsent { lockDeadlinePassed(call) }
        }
    }
}
