import ShoalTypes
import ShoalWire

/// What replies teach.
extension Client {
    /// Takes attributes and the lease that rode along with them. Without a lease only what is under way may use them.
    @discardableResult
    func learn(_ attributes: FileAttributes, _ grant: Grant) -> Inode {
        let inode = inodes.inode(attributes.inode)
        let hadWriteLease = inode.grant.mode.allowsWriting
        let isRepeat = grant.sequence == inode.grant.sequence && inode.grant.mode > .none
        if grant.mode > .none, grant.sequence > returnedLeases[attributes.inode] ?? .none {
            if !isRepeat, !hadWriteLease {
                if inode.grant.mode < .read, !inode.blocks.isEmpty { forgetCached(inode) }
                inode.mayHaveForeignUnsynced = true
                inode.namesAreComplete = false
                // What this mount reserved under an earlier lease, others may have cut since.
                inode.reservedSize = attributes.reservedSize
            }
            let mode = isRepeat ? max(grant.mode, inode.grant.mode) : grant.mode
            inode.grant = Grant(
                mode: mode, sequence: grant.sequence, minimumEpoch: max(grant.minimumEpoch, inode.grant.minimumEpoch),
                tailUnclean: grant.tailUnclean, extent: grant.extent)
        }
        merge(attributes, into: inode, keepsChanges: hadWriteLease)
        if !hadWriteLease, inode.grant.mode.allowsWriting { inode.beginLedger() }
        if inodes.count > limits.inodesMax { returnColdLeases() }
        return inode
    }

    /// The server's attributes, except what this mount has changed under the write lease and the server does not know
    /// yet.
    /// - Parameter keepsChanges: It had the lease before. Else what is still under way is of a lease that has ended.
    func merge(_ attributes: FileAttributes, into inode: Inode, keepsChanges: Bool) {
        var merged = attributes
        if keepsChanges, inode.grant.mode == .part {
            merged = inode.merged(into: attributes)
            // Counts on from what it was when the lease was given.
            merged.allocatedBytes = inode.attributes.allocatedBytes
        } else if keepsChanges, inode.grant.mode == .write, inode.isDirty || inode.isSettingSize {
            merged.size = inode.attributes.size
            merged.allocatedBytes = inode.attributes.allocatedBytes
            merged.modifyTime = inode.attributes.modifyTime
            merged.changeTime = max(inode.attributes.changeTime, attributes.changeTime)
        }
        if !inode.grant.mode.allowsWriting || inode.reservedSize < attributes.reservedSize && !inode.isCommitting {
            inode.reservedSize = attributes.reservedSize
        }
        if !keepsChanges || inode.grant.mode < .write || !inode.isDirty { accessTimesToCommit.remove(inode.id) }
        merged.accessTime =
            accessTimeToCommit(inode) ?? accessTime(of: inode.id, onServer: attributes.accessTime)
        if inode.attributes.inode == attributes.inode, inode.attributes.mode != 0, merged != inode.attributes {
            attributesChanged(inode)
        }
        inode.attributes = merged
        inode.serverSize = attributes.size
        inode.attributesAreOld = false
    }
}
