import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Questions of the server: leases that it wants back, and what the writer of a file knows.
extension Client {
    /// The server wants the lease back, down to `request.mode`.
    func recalled(_ request: RecallRequest, answer: @escaping (LeaseMode) -> Void) {
        guard let inode = inodes.existing(request.inode), inode.grant.mode > .none else { return answer(.none) }
        // A raise whose reply was lost: the server knows the lease under a newer sequence. It is given back all the
        // same.
        if request.sequence > inode.grant.sequence { inode.grant.sequence = request.sequence }
        guard inode.grant.mode > request.mode || inode.grant.mode == .names && !request.names.isEmpty else {
            if !inode.isDirectory { inode.grant.mode = remainder(of: inode, atMost: request.mode) }
            return answer(inode.grant.mode)
        }
        for name in request.names { forget(name, in: inode) }
        if let earlier = inode.recall {
            // Both are answered by the same giving back, the lower mode counts.
            inode.recall?.mode = min(earlier.mode, request.mode)
            inode.recall?.names += request.names
            inode.recall?.answer = { mode in
                earlier.answer(min(mode, earlier.mode))
                answer(mode)
            }
        } else {
            inode.recall = RecallInProgress(
                begin: scheduler.now, mode: request.mode, names: request.names, answer: answer)
        }
        proceedWithRecall(inode)
    }

    /// A pin remains while the file is open here, or may be about to be.
    private func remainder(of inode: Inode, atMost mode: LeaseMode) -> LeaseMode {
        if mode >= .read { return min(inode.grant.mode, mode) }
        if inode.isDirectory {
            // Nothing has been asked of it since it was lowered: whoever changes it now need not ask here any more.
            let isInUse = inode.grant.mode > .names || inode.kernelNames.end > scheduler.now
            return mode == .names && isInUse ? .names : .none
        }
        if inode.openCount > 0 { return .pin }
        guard mayBeOpening(inode) else { return .none }
        linger(inode)
        return .pin
    }

    /// Step by step: operations under way end, dirty bytes go out, caches are dropped, the recall is answered.
    func proceedWithRecall(_ inode: Inode) {
        // What has the inode to itself ends first: reads of pages wait for it, for which a drop would wait.
        guard let recall = inode.recall, !inode.isExclusive || inode.exclusiveWaiter != nil,
            kernelKnowsSize(inode, recall),
            kernelPagesAreGone(inode), inode.active == 0
        else { return }
        if limits.plantedFault == .unflushedRecall { discardDirty(of: inode) }
        if inode.grant.mode.allowsWriting, inode.isDirty || inode.reservesMoreThanItHas, !recall.hasFlushed {
            inode.recall?.hasFlushed = true
            inode.active += 1
            let sequence = inode.grant.sequence
            flush(inode, releasesReservation: true, reportsLoss: false) { [self] result in
                // What was written since the session ended is of another lease.
                if case .failure(let error) = result, inode.grant.sequence == sequence {
                    logger.error("inode \(inode.id): could not write back before giving its lease up: \(error)")
                    discardDirty(of: inode)
                    inode.attributesAreOld = true
                    attributesChanged(inode)
                    // Not an error that a retry can mend: the bytes are gone, and the next close or fsync says so.
                    noteLoss(error == .noSpace || error == .quota ? .inputOutput : error, of: inode)
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
        if inode.pages.isUnclean, !recall.hasDroppedAgain, kernelMayHavePages(inode) {
            // What the kernel may have waited for has ended.
            inode.recall?.hasDroppedAgain = true
            return beginDrop(inode)
        }
        guard recall.mode >= .read || kernelAttributesAreGone(inode), kernelNamesAreGone(inode, recall) else { return }
        let remaining = remainder(of: inode, atMost: recall.mode)
        if remaining < .names { forgetNames(of: inode) }
        if remaining < .read { forgetCached(inode) }
        if !recall.names.isEmpty { inode.kernelNames.disturbed(at: scheduler.now) }
        // Before who asked may set another.
        if accessTimes[inode.id] != nil { sendAccessTimes() }
        inode.grant.mode = remaining
        inode.recall = nil
        recall.answer(remaining)
        keepPages(inode)
        if remaining == .none, inode.mayBeForgotten { inodes.remove(inode) }
        serveWaiters(of: inode)
        inode.shed()
    }

    /// Drops what only a lease for reading kept true.
    func forgetCached(_ inode: Inode) {
        inode.generation += 1
        dropBlocks(of: inode)
        forgetExtendedAttributes(of: inode)
        if inode.content != nil { inode.readAhead = ReadAheadState() }
    }

    /// Drops what only a lease kept true.
    func forgetAll(of inode: Inode) {
        forgetCached(inode)
        forgetNames(of: inode)
    }

    func forgetNames(of inode: Inode) {
        guard inode.directory != nil else { return }
        nameCount -= inode.names.count
        inode.names = KnownNames()
        inode.namesAreComplete = false
        inode.listingCookie = 0
    }

    /// Nil if this mount is not the writer (any more): the server learns that from what is on its way, and asks no
    /// more.
    func glimpsed(_ request: GlimpseRequest) -> GlimpseReply? {
        guard let inode = inodes.existing(request.inode), inode.grant.mode.allowsWriting,
            inode.grant.sequence == request.sequence
        else { return nil }
        let attributes = inode.shownAttributes
        // Who does not have the end knows its place from hearsay: whoever said it may have died since.
        return GlimpseReply(
            size: inode.hasEndOfFile ? attributes.size : 0, allocatedBytes: attributes.allocatedBytes,
            modifyTime: attributes.modifyTime, changeTime: attributes.changeTime,
            accessTime: accessTimeToCommit(inode), isIdle: isIdleWriter(inode))
    }

    /// A writer that has finished: whoever asks may as well have a read lease.
    private func isIdleWriter(_ inode: Inode) -> Bool {
        !inode.isDirty && (inode.openCount == 0 || !inode.reservesMoreThanItHas)
            && inode.pages.storerCount == 0
            && !inode.isHeldUp && inode.active == 0 && inode.waiters.isEmpty
            && isUnchanged(inode, for: limits.writerIdle)
    }
}
