import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// Runs `body` under a lease of at least `mode`, at once if the mount holds it, else when the server has granted
    /// it. While `body` and what it starts are under way the lease stays: it calls `done` exactly once when it no
    /// longer relies on it.
    func withLease(
        _ mode: LeaseMode, on inode: Inode, failure: @escaping (FileError) -> Void,
        _ body: @escaping (_ done: @escaping () -> Void) -> Void
    ) {
        if inode.grant.mode >= mode, !inode.isHeldUp, metadata.leasesAreUsable {
            inode.active += 1
            body { [self] in leaseUseEnded(inode) }
            return
        }
        let deadline = scheduler.now + limits.metadataDeadline
        inode.waiters.append(
            LeaseWaiter(mode: mode, deadline: deadline) { [self] result in
                switch result {
                case .success:
                    inode.active += 1
                    body { [self] in leaseUseEnded(inode) }
                case .failure(let error): failure(error)
                }
            })
        serveWaiters(of: inode)
    }

    /// Whether attributes, names and blocks of the inode may be relied on now.
    func mayRead(_ inode: Inode) -> Bool {
        inode.grant.mode >= .read && !inode.isHeldUp && metadata.leasesAreUsable
    }

    private func leaseUseEnded(_ inode: Inode) {
        inode.active -= 1
        if inode.active == 1, let begin = inode.exclusiveWaiter {
            inode.exclusiveWaiter = nil
            return begin()
        }
        if inode.recall != nil { proceedWithRecall(inode) }
    }

    /// For an operation that already runs under the lease and tolerates no other beside it: later ones wait, earlier
    /// ones end first. If the lease is lost while it waits, `failure` is called instead of `body`.
    func withExclusiveUse(
        of inode: Inode, failure: @escaping (FileError) -> Void, _ body: @escaping () -> Void
    ) {
        guard !inode.isExclusive else {
            // Another one is at it: this one is in its way, and steps back until it has ended.
            inode.active -= 1
            inode.waiters.append(
                LeaseWaiter(mode: .write, deadline: scheduler.now + limits.metadataDeadline) { [self] result in
                    // Either way the operation is under way again, until it says that it is done.
                    inode.active += 1
                    switch result {
                    case .success: withExclusiveUse(of: inode, failure: failure, body)
                    case .failure(let error): failure(error)
                    }
                })
            if inode.active == 1, let begin = inode.exclusiveWaiter {
                inode.exclusiveWaiter = nil
                begin()
            }
            return
        }
        inode.isExclusive = true
        if inode.active == 1 { body() } else { inode.exclusiveWaiter = body }
    }

    func endExclusiveUse(of inode: Inode) {
        inode.isExclusive = false
        serveWaiters(of: inode)
    }

    /// Runs the waiters that the present lease satisfies, in order; asks for a higher one for the first that it does
    /// not.
    func serveWaiters(of inode: Inode) {
        while let first = inode.waiters.first {
            guard !inode.isHeldUp else { return }
            guard inode.grant.mode >= first.mode, metadata.leasesAreUsable else {
                return acquire(first.mode, of: inode)
            }
            inode.waiters.removeFirst()
            first.run(.success(()))
        }
    }

    private func acquire(_ mode: LeaseMode, of inode: Inode) {
        guard inode.acquiring == nil else { return }
        // A reader behind which a writer waits asks for the writer's mode at once.
        let wanted = inode.waiters.reduce(mode) { max($0, $1.mode) }
        inode.acquiring = wanted
        metadata.request(
            .acquireLease, isChange: false, { AcquireLeaseRequest(caller: $0, inode: inode.id, mode: wanted) }
        ) { [self] reply in
            inode.acquiring = nil
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                learn(entry.attributes, entry.grant)
                let isGranted = inode.grant.mode >= wanted || inode.recall != nil
                if isGranted { return cutUncleanTail(of: inode, entry.grant) { [self] in serveWaiters(of: inode) } }
                failExpiredWaiters(of: inode, .timedOut)
                scheduler.schedule(after: limits.retryPause) { [self] in serveWaiters(of: inode) }
            case .failure(let status):
                failWaiters(of: inode, status.fileError)
            }
        }
    }

    /// Before anything else happens under a write lease whose last holder died: its leftovers past the end go.
    private func cutUncleanTail(of inode: Inode, _ grant: Grant, completion: @escaping () -> Void) {
        guard grant.mode == .write, grant.tailUnclean, inode.attributes.reservedSize > inode.attributes.size else {
            return completion()
        }
        inode.active += 1
        inode.acquiring = .write
        // The lease is there, but who would write now would have the bytes cut off again.
        inode.isExclusive = true
        cutChunks(of: inode, from: inode.attributes.size, to: inode.attributes.reservedSize) { [self] result in
            inode.acquiring = nil
            inode.isExclusive = false
            if case .success = result {
                inode.reservedSize = inode.attributes.size
                inode.needsCommit = true
            } else {
                failWaiters(of: inode, .inputOutput)
            }
            leaseUseEnded(inode)
            completion()
        }
    }

    private func failExpiredWaiters(of inode: Inode, _ error: FileError) {
        let now = scheduler.now
        let expired = inode.waiters.filter { $0.deadline <= now }
        inode.waiters.removeAll { $0.deadline <= now }
        for waiter in expired { waiter.run(.failure(error)) }
    }

    private func failWaiters(of inode: Inode, _ error: FileError) {
        let waiters = inode.waiters
        inode.waiters = []
        for waiter in waiters { waiter.run(.failure(error)) }
    }

    // MARK: What replies teach

    /// Takes attributes and the lease that rode along with them. Without a lease only what is under way may use them.
    @discardableResult
    func learn(_ attributes: FileAttributes, _ grant: Grant) -> Inode {
        let inode = inodes.inode(attributes.inode)
        let isRepeat = grant.sequence == inode.grant.sequence && inode.grant.mode > .none
        if grant.mode > .none, grant.sequence > returnedLeases[attributes.inode] ?? .none {
            if !isRepeat, inode.grant.mode < .write {
                inode.mayHaveForeignUnsynced = true
                inode.namesAreComplete = false
                // What this mount reserved under an earlier lease, others may have cut since.
                inode.reservedSize = attributes.reservedSize
            }
            let mode = isRepeat ? max(grant.mode, inode.grant.mode) : grant.mode
            inode.grant = Grant(
                mode: mode, sequence: grant.sequence, minimumEpoch: max(grant.minimumEpoch, inode.grant.minimumEpoch),
                tailUnclean: grant.tailUnclean)
        }
        merge(attributes, into: inode)
        if inodes.count > limits.inodesMax { returnColdLeases() }
        return inode
    }

    /// The server's attributes, except what this mount has changed under the write lease and the server does not know
    /// yet.
    func merge(_ attributes: FileAttributes, into inode: Inode) {
        var merged = attributes
        if inode.grant.mode == .write, inode.isDirty {
            merged.size = inode.attributes.size
            merged.modifyTime = inode.attributes.modifyTime
            merged.changeTime = max(inode.attributes.changeTime, attributes.changeTime)
        }
        if inode.grant.mode < .write || inode.reservedSize < attributes.reservedSize && !inode.isCommitting {
            inode.reservedSize = attributes.reservedSize
        }
        inode.attributes = merged
        inode.serverSize = attributes.size
        inode.attributesAreOld = false
    }

    // MARK: Giving leases back

    /// The server wants the lease back, down to `request.mode`.
    func recalled(_ request: RecallRequest, answer: @escaping (LeaseMode) -> Void) {
        guard let inode = inodes.existing(request.inode), inode.grant.mode > .none else { return answer(.none) }
        // A raise whose reply was lost: the server knows the lease under a newer sequence. It is given back all the
        // same.
        if request.sequence > inode.grant.sequence { inode.grant.sequence = request.sequence }
        guard inode.grant.mode > request.mode else {
            inode.grant.mode = remainder(of: inode, atMost: request.mode)
            return answer(inode.grant.mode)
        }
        if let earlier = inode.recall {
            // Both are answered by the same giving back, the lower mode counts.
            inode.recall?.mode = min(earlier.mode, request.mode)
            inode.recall?.answer = { mode in
                earlier.answer(min(mode, earlier.mode))
                answer(mode)
            }
        } else {
            inode.recall = RecallInProgress(mode: request.mode, answer: answer)
        }
        proceedWithRecall(inode)
    }

    /// A pin remains exactly while the file is open here.
    private func remainder(of inode: Inode, atMost mode: LeaseMode) -> LeaseMode {
        if mode >= .read { return min(inode.grant.mode, mode) }
        return inode.openCount > 0 ? .pin : .none
    }

    /// Step by step: operations under way end, dirty bytes go out, caches are dropped, the recall is answered.
    func proceedWithRecall(_ inode: Inode) {
        guard let recall = inode.recall, inode.active == 0 else { return }
        if inode.grant.mode == .write, inode.isDirty || inode.reservedSize > inode.attributes.size, !recall.hasFlushed {
            inode.recall?.hasFlushed = true
            inode.active += 1
            flush(inode, releasesReservation: true) { [self] result in
                if case .failure(let error) = result {
                    logger.error("inode \(inode.id): could not write back before giving its lease up: \(error)")
                    discardDirty(of: inode)
                    // Not an error that a retry can mend: the bytes are gone, and the next close or fsync says so.
                    inode.writeError = error == .noSpace || error == .quota ? .inputOutput : error
                }
                leaseUseEnded(inode)
            }
            return
        }
        guard !inode.isCommitting, inode.flushesInFlight == 0 else {
            inode.active += 1
            waitForFlush(of: inode) { [self] in leaseUseEnded(inode) }
            return
        }
        let remaining = remainder(of: inode, atMost: recall.mode)
        if remaining < .read { forgetCached(inode) }
        inode.grant.mode = remaining
        inode.recall = nil
        recall.answer(remaining)
        if remaining == .none, inode.isIdle { inodes.remove(inode) }
        serveWaiters(of: inode)
    }

    /// Drops what only a lease kept true.
    func forgetCached(_ inode: Inode) {
        inode.generation += 1
        dropBlocks(of: inode)
        forgetNames(of: inode)
        forgetExtendedAttributes(of: inode)
        inode.readAhead = ReadAheadState()
    }

    func forgetNames(of inode: Inode) {
        nameCount -= inode.names.count
        inode.names = [:]
        inode.namesAreComplete = false
        inode.listingCookie = 0
    }

    /// Nil if this mount is not the writer (any more): the server learns that from what is on its way, and asks no
    /// more.
    func glimpsed(_ request: GlimpseRequest) -> GlimpseReply? {
        guard let inode = inodes.existing(request.inode), inode.grant.mode == .write,
            inode.grant.sequence == request.sequence
        else { return nil }
        let attributes = inode.attributes
        return GlimpseReply(
            size: attributes.size, modifyTime: attributes.modifyTime, changeTime: attributes.changeTime)
    }

    /// The coldest tenth goes, with one message.
    private func returnColdLeases() {
        let cold = inodes.coldest(max(1, limits.inodesMax / 10))
        var returned: [HeldLease] = []
        for inode in cold {
            if inode.grant.mode > .none {
                returned.append(HeldLease(inode: inode.id, mode: .none, sequence: inode.grant.sequence))
            }
            forgetCached(inode)
            inodes.remove(inode)
        }
        giveBack(returned)
    }

    /// Tells the server; until it has confirmed, its earlier replies may still repeat these leases and are not
    /// believed.
    func giveBack(_ leases: [HeldLease]) {
        guard !leases.isEmpty else { return }
        for lease in leases where lease.mode == .none { returnedLeases[lease.inode] = lease.sequence }
        metadata.request(.releaseLeases, isChange: false, { ReleaseLeasesRequest(caller: $0, leases: leases) }) {
            [self] _ in
            for lease in leases where returnedLeases[lease.inode] == lease.sequence {
                returnedLeases.removeValue(forKey: lease.inode)
            }
        }
    }

    /// For the server after a reconnection.
    func heldLeases() -> [HeldLease] {
        inodes.all.filter { $0.grant.mode > .none }.map {
            HeldLease(inode: $0.id, mode: $0.grant.mode, sequence: $0.grant.sequence)
        }
    }

    /// The session has expired: nothing that was cached or buffered may be used, and who wrote is told.
    func sessionLost() {
        view.reconnectAll()
        loseLocks()
        for inode in Array(inodes.all) {
            if inode.isDirty { inode.writeError = .inputOutput }
            inode.grant = .none
            discardDirty(of: inode)
            forgetCached(inode)
            inode.isOrphan = false
            let recall = inode.recall
            inode.recall = nil
            recall?.answer(.none)
        }
    }
}
