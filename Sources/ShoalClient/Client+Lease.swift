import ShoalRPC
import ShoalTypes
import ShoalWire

/// Taking leases, and working under them.
extension Client {
    /// Runs `body` under a lease of at least `mode`, at once if the mount holds it, else when the server has granted
    /// it. While `body` and what it starts are under way the lease stays: it calls `done` exactly once when it no longer
    /// relies on it.
    ///
    /// - Parameter extent: The chunks that `body` uses: a lease of this part of the file will do.
    func withLease(
        _ mode: LeaseMode, on inode: Inode, extent: LeaseExtent = .whole, failure: @escaping (FileError) -> Void,
        _ body: @escaping (_ done: @escaping () -> Void) -> Void
    ) {
        if inode.grant.allows(mode, of: extent), !inode.isHeldUp, metadata.leasesAreUsable {
            inode.active += 1
            body { [self] in leaseUseEnded(inode) }
            return
        }
        let deadline = scheduler.now + limits.metadataDeadline
        inode.waiters.append(
            LeaseWaiter(mode: mode, extent: extent, deadline: deadline) { [self] result in
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
    func mayRead(_ inode: Inode) -> Bool { mayUse(inode, .read) }

    /// Whether the names that are known of the directory may be relied on now.
    func mayUseNames(_ directory: Inode) -> Bool { mayUse(directory, .names) }

    func mayUse(_ inode: Inode, _ mode: LeaseMode) -> Bool {
        inode.grant.mode >= mode && !inode.isHeldUp && metadata.leasesAreUsable
    }

    /// The lease that this client would rely on now.
    package func usableLease(_ id: InodeID) -> Grant {
        guard let inode = inodes.existing(id), metadata.leasesAreUsable else { return .none }
        return inode.grant
    }

    func leaseUseEnded(_ inode: Inode) {
        inode.active -= 1
        if beginExclusiveUse(of: inode) { return }
        if inode.recall != nil { proceedWithRecall(inode) }
        inode.shed()
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
            beginExclusiveUse(of: inode)
            return
        }
        inode.isExclusive = true
        inode.exclusiveWaiter = body
        beginExclusiveUse(of: inode)
    }

    /// Once nothing else is under way: also not while the kernel drops pages, since what it writes back first would have to
    /// wait, and the lease with it.
    @discardableResult
    func beginExclusiveUse(of inode: Inode) -> Bool {
        guard inode.active == 1, inode.pages.state != .dropping, let begin = inode.exclusiveWaiter else { return false }
        inode.exclusiveWaiter = nil
        begin()
        return true
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
            guard inode.grant.allows(first.mode, of: first.extent), metadata.leasesAreUsable else {
                return acquire(first, of: inode)
            }
            inode.waiters.removeFirst()
            first.run(.success(()))
        }
    }

    private func acquire(_ first: LeaseWaiter, of inode: Inode) {
        guard inode.acquiring == nil else { return }
        // A reader behind which a writer waits asks for the writer's mode at once.
        let wanted = inode.waiters.reduce(first.mode) { max($0, $1.mode) }
        // The chunks of one: others may be used by somebody else.
        let extent = inode.waiters.first { $0.mode == wanted }?.extent.joined(with: first.extent) ?? .whole
        inode.acquiring = wanted
        metadata.request(
            .acquireLease, isChange: false,
            { AcquireLeaseRequest(caller: $0, inode: inode.id, mode: wanted, extent: extent) }
        ) { [self] reply in
            inode.acquiring = nil
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                learn(entry.attributes, entry.grant)
                let isGranted = inode.grant.allows(wanted, of: extent) || inode.recall != nil
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
        guard grant.mode == .write, grant.tailUnclean else { return completion() }
        inode.active += 1
        inode.acquiring = .write
        // The lease is there, but who would write now would have the bytes cut off again.
        inode.isExclusive = true
        let recount: Completion<Void> = { [self] result in
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
        let size = inode.attributes.size
        cutChunks(of: inode, from: size, to: max(size, inode.attributes.reservedSize)) { [self] result in
            if case .failure = result { return recount(result) }
            recountBlocks(of: inode, completion: recount)
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
}
