import ShoalRPC
import ShoalTypes
import ShoalWire

/// Between the kernel's LOOKUP and what it wanted the inode for, the name may go to another file or go altogether. On a
/// local disk the call goes on with the inode that it has found; here that inode must not vanish under it.
extension Client {
    /// The kernel was told of the inode, and may be about to open it.
    package func noteShown(_ id: InodeID) {
        guard let inode = inodes.existing(id), !inode.isDirectory else { return }
        inode.shownAt = scheduler.now
    }

    /// A call that resolved a path to this inode may be on its way.
    func mayBeOpening(_ inode: Inode) -> Bool {
        guard let moment = inode.shownAt else { return false }
        return scheduler.now - moment < limits.openGrace
    }

    /// Keeps a pin on an inode that is not open, for as long as it may be about to be.
    func linger(_ inode: Inode) {
        guard lingering.updateValue(inode, forKey: inode.id) == nil, lingering.count == 1 else { return }
        scheduler.schedule(after: limits.openGrace) { [self] in endLingering() }
    }

    private func endLingering() {
        var returned: [HeldLease] = []
        for inode in Array(lingering.values).sorted(by: { $0.id < $1.id }) {
            if mayBeOpening(inode) || inode.acquiring != nil || inode.active > 0 || !inode.waiters.isEmpty { continue }
            lingering[inode.id] = nil
            guard inode.openCount == 0, inodes.existing(inode.id) === inode else { continue }
            if inode.isOrphan { dropOrphan(inode) }
            guard inode.grant.mode == .pin else { continue }
            returned.append(inode.returnedLease)
            inode.grant = .none
            if inode.mayBeForgotten { inodes.remove(inode) }
        }
        giveBack(returned)
        if !lingering.isEmpty { scheduler.schedule(after: limits.openGrace) { [self] in endLingering() } }
    }

    /// The inode's last name went by this mount's own doing, and nobody has it open: what stat(2) shows of it from now
    /// on, for a process that stands in the directory or found the name just before.
    func noteGone(_ attributes: FileAttributes) {
        if goneAttributes.count >= limits.goneInodesMax { goneAttributes = [:] }
        var gone = attributes
        gone.accessTime = accessTime(of: gone.inode, onServer: gone.accessTime)
        goneAttributes[gone.inode] = gone
    }

    /// fchmod(2) and the like of what is gone, a directory or a FIFO that a process has open still.
    /// - Returns: nil if this mount does not know it.
    func changeGone(_ id: InodeID, _ change: AttributeChange) -> FileAttributes? {
        guard var attributes = goneAttributes[id] else { return nil }
        if change.uid != nil || change.gid != nil {
            attributes.mode =
                attributes.mode & FileKind.mask
                | (attributes.permissionsWithoutSetID ?? attributes.permissions)
        }
        if let permissions = change.permissions {
            attributes.mode = attributes.mode & FileKind.mask | permissions & 0o7777
        }
        attributes.uid = change.uid ?? attributes.uid
        attributes.gid = change.gid ?? attributes.gid
        attributes.accessTime = change.accessTime ?? attributes.accessTime
        attributes.modifyTime = change.modifyTime ?? attributes.modifyTime
        attributes.changeTime = scheduler.wallClock
        goneAttributes[id] = attributes
        return attributes
    }

    /// The kernel was told of the inode and has not forgotten it.
    package func kernelKnows(_ id: InodeID) -> Bool { inodes.kernelKnows(id) }

    /// The kernel has taken the inode in, once more.
    package func kernelLearned(_ id: InodeID) { inodes.kernelLearned(id) }

    /// The kernel has no use for the inode any more, as far as `lookups` of the times go that it was told of it.
    package func kernelForgot(_ id: InodeID, lookups: UInt64) {
        inodes.kernelForgot(id, lookups: lookups)
        guard !inodes.kernelKnows(id) else { return }
        goneAttributes[id] = nil
        if let inode = inodes.existing(id) { kernelPagesHaveGone(inode) }
    }
}
