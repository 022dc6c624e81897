import ShoalRPC
import ShoalTypes
import ShoalWire

/// Leases that go without having been asked for, or with the session.
extension Client {
    /// The coldest tenth goes, together; first, what the kernel shows under those leases.
    func returnColdLeases() {
        guard !isReturningColdLeases else { return }
        isReturningColdLeases = true
        let now = scheduler.now
        let cold = inodes.coldest(max(1, limits.inodesMax / 10)) { $0.kernelNames.end <= now }
        let shown = cold.filter(kernelShows)
        returnLeases(of: cold.filter { !kernelShows($0) })
        dropKernelPages(of: shown.filter(kernelMayHavePages)) { [self] in
            dropKernelAttributes(of: shown.filter(\.kernelAttributes.areShown)) { [self] in
                isReturningColdLeases = false
                returnLeases(
                    of: shown.filter { $0.isIdle && !kernelShows($0) && $0.kernelNames.end <= scheduler.now })
            }
        }
    }

    /// A file that has been written back and is not open here is most often only read from now on: with the lease lowered,
    /// who looks at it from another mount is answered by the server alone.
    func leaveToReaders(_ inode: Inode) {
        guard hasFinished(inode) else { return }
        finishedFiles.append(inode)
        guard finishedFiles.count == 1 else { return }
        scheduler.schedule(after: limits.finishedFilesDelay) { [weak self] in self?.lowerFinished() }
    }

    private func hasFinished(_ inode: Inode) -> Bool {
        inode.grant.mode == .write && inode.openCount == 0 && inode.isIdle && !inode.attributesAreOld
            && inode.writeError == nil
    }

    private func lowerFinished() {
        let finished = finishedFiles.filter(hasFinished)
        finishedFiles = []
        guard metadata.leasesAreUsable else { return }
        var lowered: [HeldLease] = []
        for inode in finished where inode.grant.mode == .write {
            // Comes back here when it has given up what it had reserved.
            if inode.reservesMoreThanItHas {
                flushUnasked(inode)
                continue
            }
            inode.grant.mode = .read
            lowered.append(HeldLease(inode: inode.id, mode: .read, sequence: inode.grant.sequence))
        }
        giveBack(lowered)
    }

    private func kernelShows(_ inode: Inode) -> Bool { inode.kernelAttributes.areShown || kernelMayHavePages(inode) }

    private func returnLeases(of cold: [Inode]) {
        var returned: [HeldLease] = []
        for inode in cold {
            if inode.grant.mode > .none {
                returned.append(inode.returnedLease)
            }
            forgetAll(of: inode)
            inodes.remove(inode)
        }
        giveBack(returned)
    }

    /// Tells the server; until it has confirmed, its earlier replies may still repeat these leases as they were, and are
    /// not believed.
    func giveBack(_ all: [HeldLease]) {
        guard !all.isEmpty else { return }
        let leases = Array(all.prefix(ReleaseLeasesRequest.leasesMax))
        defer { giveBack(Array(all.dropFirst(leases.count))) }
        for lease in leases { returnedLeases[lease.inode] = lease.sequence }
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
            HeldLease(inode: $0.id, mode: $0.grant.mode, sequence: $0.grant.sequence, extent: $0.grant.extent)
        }
    }

    /// The session has expired: nothing that was cached or buffered may be used, and who wrote is told. `completion` runs
    /// when the kernel has forgotten, too.
    func sessionLost(completion: @escaping () -> Void) {
        view.reconnectAll()
        accessTimes = [:]
        accessTimesInFlight = [:]
        loseLocks()
        for inode in inodes.all {
            if inode.isDirty || inode.writeError != nil { noteLoss(.inputOutput, of: inode) }
            inode.grant = .none
            discardDirty(of: inode)
            forgetAll(of: inode)
            inode.isOrphan = false
            let recall = inode.recall
            inode.recall = nil
            if inode.pages.state == .dropped { keepPages(inode) }
            recall?.answer(.none)
        }
        dropKernelPages(of: inodes.all.filter { kernelMayHavePages($0) || $0.pages.state == .dropping }) { [self] in
            dropAllKernelAttributes { [self] in whenNamesHaveEnded(completion) }
        }
    }
}
