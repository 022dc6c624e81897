import ShoalRPC
import ShoalTypes
import ShoalWire

/// Changes of attributes that a mount makes by itself under the write lease, as it does those of a write.
extension Client {
    /// Sets times, and what else is to stay as it is: who unpacks an archive, or copies with all attributes, sets owner,
    /// permissions and times of each file that it has just written, most of them to what they are. They go to the server with
    /// the file's next commit; until then whoever asks gives this mount a recall or a glimpse.
    ///
    /// - Returns: False, and nothing is done, if the server has to be asked.
    func setUnderLease(_ inode: Inode, _ change: AttributeChange) -> Bool {
        guard inode.grant.mode == .write, metadata.leasesAreUsable, !inode.isHeldUp, inode.waiters.isEmpty,
            !inode.attributesAreOld, !inode.isSettingSize, inode.writeError == nil, changesTimesAlone(change, of: inode)
        else { return false }
        attributesChanged(inode)
        if let time = change.accessTime {
            forgetAccess(inode.id)
            accessTimesToCommit.insert(inode.id)
            inode.attributes.accessTime = time
        }
        if let time = change.modifyTime { inode.attributes.modifyTime = time }
        inode.attributes.changeTime = scheduler.wallClock
        inode.needsCommit = true
        startWriteBehind(of: inode)
        return true
    }

    /// Nil unless it was set by hand and the server does not know yet.
    func accessTimeToCommit(_ inode: Inode) -> Timestamp? {
        accessTimesToCommit.contains(inode.id) ? inode.attributes.accessTime : nil
    }

    /// Without extended attributes no permissions can be written into an ACL, and no capability can go with an owner.
    private func changesTimesAlone(_ change: AttributeChange, of inode: Inode) -> Bool {
        let attributes = inode.attributes
        let hasOwner = change.uid != nil || change.gid != nil
        return change.size == nil && attributes.extendedAttributes.isEmpty
            && change.permissions.map { $0 & 0o7777 == attributes.permissions } ?? true
            && change.uid.map { $0 == attributes.uid } ?? true
            && change.gid.map { $0 == attributes.gid } ?? true
            && (!hasOwner || attributes.permissionsWithoutSetID == nil)
    }
}
