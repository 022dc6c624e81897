import ShoalRPC
import ShoalTypes
import ShoalWire

/// What close waits for. POSIX does not ask close to wait until bytes are anywhere in particular, and every mount sees
/// them at once whether they are on the nodes or buffered here under the write lease. So close returns at once and the
/// bytes follow within `writeBehindDelay`; fsync is for those who need to know. But a program that does not call fsync
/// learns from close, if at all, that its bytes did not fit. Therefore close waits for the nodes
///
/// - while a node has little space left, as the leader says with every heartbeat, or until it has said anything;
/// - for `closeWaitsAfterFailure` after any write-back of this mount has failed;
/// - if an error of this file is known already: it is what close reports.
///
/// An error that turns up after close is reported by the next fsync or close of the file, whoever has opened it.
extension Client {
    /// close(2) of one of possibly several descriptors.
    package func flush(_ id: InodeID, completion: @escaping Completion<Void>) {
        guard let inode = inodes.existing(id), inode.isDirty || inode.writeError != nil || inode.lossError != nil
        else {
            return completion(.success(()))
        }
        // By the timer: a file that is removed soon after, as temporary files are, never reaches the nodes.
        startWriteBehind(of: inode)
        if inode.openCount <= 1 { returnExcess(of: inode) }
        if inode.writeError == nil, inode.lossError == nil, !closeWaits { return completion(.success(())) }
        writeBack(inode) { [self] in
            let error = inode.writeError ?? inode.lossError
            inode.writeError = nil
            inode.lossError = nil
            if let error { return completion(.failure(error)) }
            // The nodes hold the bytes; the size follows by itself, and other mounts ask us for it until then.
            flushUnasked(inode)
            completion(.success(()))
        }
    }

    /// Whether bytes may be refused that nobody has been told about.
    private var closeWaits: Bool {
        if metadata.isSpaceLow { return true }
        guard let failed = lastWriteBackFailure else { return false }
        return scheduler.now < failed + limits.closeWaitsAfterFailure
    }

    /// The last use of one descriptor has ended.
    package func release(_ id: InodeID, completion: @escaping Completion<Void>) {
        guard let inode = inodes.existing(id), inode.openCount > 0 else { return completion(.success(())) }
        inode.openCount -= 1
        defer { completion(.success(())) }
        guard inode.openCount == 0 else { return }
        if inode.isOrphan || inode.attributes.linkCount == 0 {
            // Another mount may have removed it, and have it open still.
            if inode.grant.mode > .none { inode.isOrphan = true }
            return dropOrphan(inode)
        }
        if inode.grant.mode == .pin {
            giveBack([inode.returnedLease])
            inode.grant = .none
        }
        // Nobody is left to retry. What close has not reported is kept for whoever opens the file next.
        if let error = inode.writeError, inode.isDirty { giveUp(inode, error) }
        returnExcess(of: inode)
        leaveToReaders(inode)
        inode.shed()
    }
}
