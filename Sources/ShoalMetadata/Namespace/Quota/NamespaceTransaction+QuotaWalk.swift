import ShoalTypes

/// Giving what is in a directory to another tree, in steps.
///
/// Law: the entries of a directory are charged to `quotaTree(ofEntriesOf:)`, except those after the position of a
/// directory that a walk has still to visit. A directory is given to its tree before its entries are, so what is made in
/// it meanwhile is right from the start; it is put into the queue in the batch that changes its own tree.
extension NamespaceTransaction {
    /// The next directory to visit for `tree`, and the cookie up to which that has been done.
    func nextQuotaWalk(of tree: InodeID) throws(MetadataError) -> (directory: InodeID, after: UInt64)? {
        var found: (InodeID, UInt64)?
        let range = Keys.range(.quotaWalk, tree.rawValue)
        try scan(from: range.lower, to: range.upper) { key, value throws(MetadataError) in
            found = (InodeID(Keys.field(key, at: 9)), try QuotaWalkPosition(stored: value).cookie)
            return false
        }
        return found
    }

    mutating func startQuotaWalk(of tree: InodeID, in directory: InodeID) {
        put(Keys.quotaWalk(tree, directory), QuotaWalkPosition(cookie: 0).stored())
    }

    /// Looks at about `limit` entries. When none are left the tree's limits hold, or it is gone.
    /// - Returns: files whose writers, if they have any, are to learn that they count, or have reserved more than they
    ///   have written; they count with that.
    package mutating func walkQuota(_ tree: InodeID, limit: Int) throws(MetadataError) -> [InodeID] {
        var left = limit
        var writable: [InodeID] = []
        while left > 0 {
            guard let walk = try nextQuotaWalk(of: tree) else {
                try finishQuotaWalk(of: tree)
                break
            }
            left -= 1
            guard let directory = try inode(walk.directory), directory.isDirectory else {
                delete(Keys.quotaWalk(tree, walk.directory))
                continue
            }
            left -= try visit(directory, after: walk.after, for: tree, limit: left, &writable)
        }
        return writable
    }

    private mutating func visit(
        _ directory: InodeRecord, after: UInt64, for tree: InodeID, limit: Int, _ writable: inout [InodeID]
    ) throws(MetadataError) -> Int {
        var entries: [(inode: InodeID, cookie: UInt64)] = []
        let lower = Keys.cookie(directory.inode, after + 1)
        let upper = Keys.range(.cookie, directory.inode.rawValue).upper
        try scan(from: lower, to: upper) { key, value throws(MetadataError) in
            guard entries.count < limit else { return false }
            entries.append((try CookieRecord(stored: value).inode, Keys.field(key, at: 9)))
            return entries.count < limit
        }
        let target = quotaTree(ofEntriesOf: directory)
        for entry in entries {
            var record = try referenced(entry.inode)
            guard record.quota != target else { continue }
            let isNewlyCounted = !record.attributes.countsInQuota && record.attributes.kind == .regular
            if isNewlyCounted || record.attributes.reservedSize > record.attributes.size {
                writable.append(record.inode)
            }
            try give(&record, to: target, walking: tree)
            update(record)
        }
        if entries.count < limit {
            delete(Keys.quotaWalk(tree, directory.inode))
        } else if let last = entries.last {
            put(Keys.quotaWalk(tree, directory.inode), QuotaWalkPosition(cookie: last.cookie).stored())
        }
        return entries.count
    }

    /// Changes the tree of an inode that is to be updated; what is in it follows in steps.
    mutating func give(
        _ record: inout InodeRecord, to target: InodeID, walking tree: InodeID
    ) throws(MetadataError) {
        record.quota = target
        guard record.isDirectory, record.entryCount > 0, quota(record.inode).map({ $0.state == .removing }) ?? true
        else { return }
        startQuotaWalk(of: tree, in: record.inode)
    }

    private mutating func finishQuotaWalk(of tree: InodeID) throws(MetadataError) {
        guard var quota = quota(tree) else { return }
        if quota.state == .counting {
            quota.state = .active
            setQuota(quota, of: tree)
        } else if quota.used == .zero {
            // A change, so that it is dropped when this transaction has been charged.
            setQuota(quota, of: tree)
        }
    }
}
