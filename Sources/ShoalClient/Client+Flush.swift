import DequeModule
import Logging
import ShoalChecksum
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Write-behind. Full blocks leave at once, in requests of up to 1 MiB; the others after a moment, or on flush, fsync,
/// a recall. The size follows when the nodes hold the bytes.
extension Client {
    /// After a write: sends the blocks that are full, and makes sure the rest does not stay for long.
    func startWriteBehind(of inode: Inode) {
        if inode.dirtyBlocks.count >= 8 { send(inode, onlyFull: true) }
        guard !inode.hasFlushTimer else { return }
        inode.hasFlushTimer = true
        writeBehindQueue.append((inode, scheduler.now + limits.writeBehindDelay))
        if writeBehindQueue.count == 1 { scheduleWriteBehind(after: limits.writeBehindDelay) }
    }

    /// Files of about the same age leave together: what goes to one node is one packet for it then, and wakes it once.
    private func scheduleWriteBehind(after interval: Interval) {
        scheduler.schedule(after: interval) { [self] in
            let end = scheduler.now + limits.writeBehindGrain
            let count = writeBehindQueue.prefix { $0.due <= end }.count
            let due = Array(writeBehindQueue.prefix(count))
            writeBehindQueue.removeFirst(count)
            if let next = writeBehindQueue.first { scheduleWriteBehind(after: next.due - scheduler.now) }
            for (inode, _) in due { writeBehind(inode) }
        }
    }

    private func writeBehind(_ inode: Inode) {
        inode.hasFlushTimer = false
        // What failed is retried by whoever is told of it; if the file is closed there is nobody.
        guard inode.isDirty, inode.writeError == nil || inode.openCount == 0, inode.grant.mode.allowsWriting else {
            return
        }
        flushUnasked(inode)
    }

    /// A flush that nobody waits for. An error is kept for the next close or fsync; of a file that nobody has open any
    /// more the bytes are given up, since nobody is left to make room for them or to try again. A closed file gives its
    /// reservation back on the way, so that its lease can go without another message.
    func flushUnasked(_ inode: Inode) {
        let sequence = inode.grant.sequence
        flush(inode, releasesReservation: inode.openCount == 0, reportsLoss: false) { [self] result in
            guard case .failure(let error) = result else { return leaveToReaders(inode) }
            // With the session ended what there was to lose, and somebody may have written since.
            guard inode.grant.sequence == sequence else { return }
            if inode.openCount == 0, inode.isDirty {
                giveUp(inode, error)
            } else if !inode.isDirty {
                noteLoss(error, of: inode)
            } else if error == .quota {
                // A commit that a quota refused leaves the file dirty, and is not tried again by itself.
                inode.writeError = inode.writeError ?? error
            }
        }
    }

    /// What was written is gone, and whoever closes or syncs the file next is told.
    func noteLoss(_ error: FileError, of inode: Inode) {
        inode.lossError = inode.lossError ?? error
        inode.writeError = nil
    }

    /// Loses what was buffered, and shows the file again as the server has it.
    func giveUp(_ inode: Inode, _ error: FileError) {
        noteLoss(error, of: inode)
        logger.error("inode \(inode.id): gave up bytes that could not be written back after the file was closed")
        discardDirty(of: inode)
        inode.attributesAreOld = true
        attributesChanged(inode)
        withoutKernelPages(of: inode) {}
    }

    /// Too much is dirty: everything of this inode goes now.
    func flushEarly(_ inode: Inode) {
        send(inode, onlyFull: false)
        guard cache.dirtyBytes >= limits.dirtyBytesMax else { return }
        // What else is dirty is being sent, or cannot be.
        for (other, _) in writeBehindQueue where other !== inode { send(other, onlyFull: false) }
    }

    /// Writes back everything that is dirty when it is called, then commits size and times. The result is that of this
    /// write-back, or of an earlier one that nobody has been told about.
    /// - Parameters:
    ///   - releasesReservation: afterwards no bytes past the end may be on the nodes (the write lease is about to go).
    ///   - reportsLoss: The result is told to a program, so bytes that were given up count.
    ///   - written: The nodes have the bytes; size and times are committed next.
    func flush(
        _ inode: Inode, releasesReservation: Bool = false, reportsLoss: Bool = true,
        written: @escaping () -> Void = {}, completion: @escaping Completion<Void>
    ) {
        let retried = inode.writeError
        // Without a program to tell, what was refused is tried once more before it is given up.
        if retried == .noSpace || retried == .quota || !reportsLoss { inode.writeError = nil }
        writeBack(inode) { [self] in
            if let error = inode.writeError {
                if error != .noSpace, error != .quota { inode.writeError = nil }
                return completion(.failure(error))
            }
            written()
            commit(inode, releasesReservation: releasesReservation) { result in
                guard reportsLoss, case .success = result, let loss = inode.lossError else { return completion(result) }
                inode.lossError = nil
                completion(.failure(loss))
            }
        }
    }

    /// Sends until nothing is dirty or in flight, or writing has failed.
    func writeBack(_ inode: Inode, completion: @escaping () -> Void) {
        if inode.writeError == nil { send(inode, onlyFull: false) }
        let isDone = inode.dirtyBlocks.isEmpty || inode.writeError != nil || !inode.grant.mode.allowsWriting
        if isDone, inode.flushesInFlight == 0 { return completion() }
        inode.flushWaiters.append { [self] in writeBack(inode, completion: completion) }
    }

    /// Until no request about this inode's content or size is under way.
    func waitUntilQuiet(_ inode: Inode, _ body: @escaping () -> Void) {
        guard inode.flushesInFlight > 0 || inode.isCommitting else { return body() }
        waitForFlush(of: inode) { [self] in waitUntilQuiet(inode, body) }
    }

    func waitForFlush(of inode: Inode, _ body: @escaping () -> Void) {
        inode.flushWaiters.append(body)
    }

    func wakeFlushWaiters(of inode: Inode) {
        let waiters = inode.flushWaiters
        inode.flushWaiters = []
        for waiter in waiters { waiter() }
        inode.shed()
    }

    /// Writes back every inode; the first error is the result.
    func flushAll(completion: @escaping Completion<Void>) {
        let dirty = inodes.all.filter {
            $0.isDirty || $0.reservesMoreThanItHas
        }
        var left = dirty.count
        var failure: FileError?
        guard left > 0 else { return completion(.success(())) }
        for inode in dirty {
            flush(inode, releasesReservation: true) { result in
                if case .failure(let error) = result { failure = failure ?? error }
                left -= 1
                if left == 0 { completion(failure.map { .failure($0) } ?? .success(())) }
            }
        }
    }
}
