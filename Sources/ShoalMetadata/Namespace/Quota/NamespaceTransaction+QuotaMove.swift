import ShoalTypes

/// Names across trees.
extension NamespaceTransaction {
    /// What the inode will be charged to when `directory` names it, in place of `former`.
    ///
    /// A file with one name is charged to its new tree at once, and so is a directory with a quota of its own, or an
    /// empty one. Any other directory stays in its tree, and so does a file with several names.
    /// - Throws: `.crossDevice`, as XFS answers for its project quotas: mv(1) copies then.
    func checkQuotaMove(
        of record: InodeRecord, from former: InodeRecord, to directory: InodeRecord
    ) throws(MetadataError) {
        guard hasQuotas, former.inode != directory.inode else { return }
        if record.isDirectory ? record.entryCount == 0 : record.attributes.linkCount == 1 { return }
        if record.isDirectory, quota(record.inode)?.state == .active { return }
        let isSame =
            hasUnsettledQuotas
            ? try nearestQuota(to: former) == nearestQuota(to: directory)
            : quotaTree(ofEntriesOf: former) == quotaTree(ofEntriesOf: directory)
        guard isSame else { throw .file(.crossDevice) }
    }

    /// The inode, which is to be updated, is named by `directory` now.
    mutating func moveQuota(of record: inout InodeRecord, to directory: InodeRecord) throws(MetadataError) {
        let target = quotaTree(ofEntriesOf: directory)
        guard record.quota != target else { return }
        // Entries that follow do so with the walk that is under way; without one there are none.
        let walk = [target, record.quota].first { quota($0).map { $0.state != .active } ?? false }
        try give(&record, to: target, walking: walk ?? namespace.quotas.unsettled.min() ?? target)
    }

    /// A file takes one more name.
    /// - Throws: `.crossDevice` if the directory is in another tree.
    func checkQuotaLink(of record: InodeRecord, to directory: InodeRecord) throws(MetadataError) {
        guard hasQuotas else { return }
        let target = quotaTree(ofEntriesOf: directory)
        guard record.quota != target else { return }
        let isUnderWay = namespace.quotas.unsettled.contains { tree in
            let both = [tree, quota(tree)?.parent ?? InodeID(0)]
            return both.contains(record.quota) && both.contains(target)
        }
        guard isUnderWay else { throw .file(.crossDevice) }
    }

    /// The directory itself or the next one above it that has a quota; 0 if none has.
    private func nearestQuota(to directory: InodeRecord) throws(MetadataError) -> InodeID {
        var current = directory
        while true {
            if let quota = quota(current.inode), quota.state != .removing { return current.inode }
            guard current.inode != .root else { return InodeID(0) }
            current = try referenced(current.parent)
        }
    }
}
