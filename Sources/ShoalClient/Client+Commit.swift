import DequeModule
import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Metadata that follows the bytes, or goes before them: sizes, times, reservations. One commit of a file at a time;
/// those of many files share messages.
extension Client {
    /// A file's commit until it is answered. Times are those of when it is sent: a `utimensat` in between counts.
    struct PendingCommit {
        let inode: Inode
        let sequence: LeaseSequence
        let size: UInt64
        let reserved: UInt64
        /// What of `reserved` this mount cannot do without.
        let needed: UInt64
        let completion: (WireStatus) -> Void

        func message(accessTime: Timestamp?) -> WriteCommit {
            var message = WriteCommit()
            message.inode = inode.id
            message.sequence = sequence
            message.size = size
            message.reservedSize = reserved
            message.allocatedBytes = inode.attributes.allocatedBytes
            message.neededSize = needed
            message.modifyTime = inode.attributes.modifyTime
            message.changeTime = inode.attributes.changeTime
            message.accessTime = accessTime
            return message
        }
    }

    /// A file that was cut to nothing has no data ID until something is reserved for it, however far its size has been set
    /// since. Besides, whoever may fill holes has a reservation past the end, unless there is no room for one: if it dies,
    /// the next writer counts again what the file takes.
    func reservedEnough(_ inode: Inode, for end: UInt64) -> Bool {
        guard inode.attributes.data != .none else { return false }
        // A part that has an end lies below that of the file.
        if !inode.hasEndOfFile { return true }
        let isMarked = inode.reservedSize > inode.serverSize || inode.hasNoRoomPastEnd
        guard !inode.ledger.hasHoles || isMarked else { return false }
        return end <= (inode.reservedSize + UInt64(CacheBlock.pageBytes) - 1) / UInt64(CacheBlock.pageBytes)
            * UInt64(CacheBlock.pageBytes)
    }

    /// A change that makes the file reach up to `end` must be reserved before it is taken: a quota refuses the call then,
    /// and not a later flush. Other files' reservations go with their bytes, and nobody waits for them.
    func mustReserve(_ end: UInt64, of inode: Inode) -> Bool {
        (inode.attributes.countsInQuota || inode.movesInFlight > 0) && end > inode.reservedSize
    }

    /// Tells the server how far bytes may reach before any goes there; then goes on sending.
    func reserve(_ end: UInt64, for inode: Inode) {
        guard !inode.isCommitting else { return }
        // The last page goes out whole; what of it is past the end of the file needs no reservation.
        let isLastPage = end - min(end, inode.attributes.size) < UInt64(CacheBlock.pageBytes)
        let sequence = inode.grant.sequence
        sendReservation(isLastPage ? min(end, inode.attributes.size) : end, for: inode) { [self] status in
            // Without the lease the bytes are gone already, and why has been noted then.
            guard status != .ok, inode.grant.sequence == sequence else { return }
            noteWriteBackFailure(status, of: inode)
        }
    }

    /// The same for what waits for it: changes that must be reserved first, and bytes that nodes send each other on this
    /// mount's behalf. Afterwards the file has a data ID.
    func reserve(upTo end: UInt64, for inode: Inode, completion: @escaping Completion<Void>) {
        if !mustReserve(end, of: inode), reservedEnough(inode, for: end) { return completion(.success(())) }
        guard !inode.isCommitting else {
            return waitForFlush(of: inode) { [self] in reserve(upTo: end, for: inode, completion: completion) }
        }
        guard inode.grant.mode.allowsWriting else { return completion(.failure(.inputOutput)) }
        sendReservation(max(end, inode.serverSize), for: inode) { status in
            completion(status == .ok ? .success(()) : .failure(status.writeBackError))
        }
    }

    private func sendReservation(_ end: UInt64, for inode: Inode, completion: @escaping (WireStatus) -> Void) {
        let step = limits.reservationStepBytes
        // The longest file there is has no room past its end.
        let wanted = max(end, min((end / step + 1) * step, inode.attributes.sizeMax))
        let size = min(inode.attributes.size, inode.serverSize)
        sendCommit(inode, size: size, reserved: wanted, needed: end) { status in
            if status == .ok { inode.hasNoRoomPastEnd = inode.reservedSize <= inode.serverSize }
            completion(status)
        }
    }

    /// Gives back at once what a quota tree counts and the file, which is being closed, may not need; its bytes need not
    /// be on the nodes for that.
    func returnExcess(of inode: Inode) {
        let size = inode.attributes.size
        guard inode.attributes.countsInQuota, inode.reservesMoreThanItHas else { return }
        // A truncation that is under way has its own size, and gives back the excess itself.
        guard !inode.isExclusive else { return }
        guard !inode.isCommitting else { return waitForFlush(of: inode) { [self] in returnExcess(of: inode) } }
        // If it fails, the next commit says the same again.
        sendCommit(inode, size: min(size, inode.serverSize), reserved: size, needed: size) { _ in }
    }

    /// Brings the server's size and times up to date; nothing is dirty or in flight below the size it sends.
    func commit(_ inode: Inode, releasesReservation: Bool, completion: @escaping Completion<Void>) {
        // What is on its way may come to nothing.
        guard !inode.isCommitting else {
            return waitForFlush(of: inode) { [self] in
                commit(inode, releasesReservation: releasesReservation, completion: completion)
            }
        }
        let hasExcess = releasesReservation && inode.reservesMoreThanItHas
        guard inode.needsCommit || hasExcess, inode.grant.mode.allowsWriting else { return completion(.success(())) }
        // Written again since: those bytes have their own write-back, this commit says no more than the nodes hold.
        guard inode.dirtyBlocks.isEmpty, inode.flushesInFlight == 0 else {
            return writeBack(inode) { [self] in
                if let error = inode.writeError { return completion(.failure(error)) }
                commit(inode, releasesReservation: releasesReservation, completion: completion)
            }
        }
        inode.needsCommit = false
        inode.hasNoRoomPastEnd = false
        let size = inode.attributes.size
        let reserved = releasesReservation ? size : max(inode.reservedSize, size)
        sendCommit(inode, size: size, reserved: reserved, needed: reserved) { [self] status in
            guard status != .ok else { return completion(.success(())) }
            lastWriteBackFailure = scheduler.now
            if !status.endsLease { inode.needsCommit = true }
            let error = inode.writeError ?? status.writeBackError
            inode.writeError = nil
            completion(.failure(error))
        }
    }

    private func sendCommit(
        _ inode: Inode, size: UInt64, reserved: UInt64, needed: UInt64, completion: @escaping (WireStatus) -> Void
    ) {
        inode.isCommitting = true
        // From now on nothing may be sent past a lowered reservation; a raised one counts when it is answered.
        inode.reservedSize = min(inode.reservedSize, reserved)
        commitQueue.append(
            PendingCommit(
                inode: inode, sequence: inode.grant.sequence, size: size, reserved: reserved, needed: needed,
                completion: completion))
        sendCommits()
    }

    private func sendCommits() {
        while commitMessages < limits.commitMessagesMax, !commitQueue.isEmpty {
            let batch = Array(commitQueue.prefix(CommitWritesRequest.commitsMax))
            commitQueue.removeFirst(batch.count)
            commitMessages += 1
            metadata.request(
                .commitWrites, isChange: false,
                { [self] caller in
                    let commits = batch.map { $0.message(accessTime: accessTimeToCommit($0.inode)) }
                    return CommitWritesRequest(caller: caller, commits: commits)
                }
            ) { [self] reply in
                commitMessages -= 1
                switch reply.decode(CommitWritesReply.self) {
                case .success(let message) where message.outcomes.count == batch.count:
                    for (commit, outcome) in zip(batch, message.outcomes) { committed(commit, outcome) }
                case .success:
                    for commit in batch { committed(commit, CommitWritesReply.Outcome(status: .badRequest)) }
                case .failure(let status):
                    for commit in batch { committed(commit, CommitWritesReply.Outcome(status: status)) }
                }
                sendCommits()
            }
        }
    }

    private func committed(_ commit: PendingCommit, _ outcome: CommitWritesReply.Outcome) {
        let inode = commit.inode
        inode.isCommitting = false
        // A quota that is reached is told to whoever writes, and nothing for a log.
        if outcome.status != .ok, outcome.status != .failed(.quota) {
            logger.error("inode \(inode.id): could not commit its size: \(outcome.status)")
        }
        if outcome.status == .ok, inode.grant.sequence == commit.sequence {
            // After a truncation to zero the first reservation names the new content.
            inode.attributes.data = outcome.data
            inode.serverSize = commit.size
            inode.reservedSize = min(commit.reserved, outcome.reservedSize)
            if !inode.needsCommit { accessTimesToCommit.remove(inode.id) }
        }
        commit.completion(outcome.status)
        resume(inode)
        wakeFlushWaiters(of: inode)
        if inode.writeError != nil { failDirtyWaiters() }
    }

    /// The first error of a file stays until it has been reported.
    func noteWriteBackFailure(_ status: WireStatus, of inode: Inode) {
        lastWriteBackFailure = scheduler.now
        inode.writeError = inode.writeError ?? status.writeBackError
    }
}

extension WireStatus {
    /// The write lease, or the session with it, has ended: what was buffered under it can never be written.
    fileprivate var endsLease: Bool { [.staleLease, .fenced, .unknownSession].contains(self) }

    /// What a failed write-back is reported as. Lost bytes are an I/O error to whoever wrote them, not a stale handle.
    fileprivate var writeBackError: FileError { endsLease ? .inputOutput : fileError }
}
