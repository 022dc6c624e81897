import ShoalTypes

extension Namespace {
    /// What the trees have used is what a walk over every inode counts; every directory is charged to the tree that it is
    /// in, unless a walk has still to come to it. Files with several names may be charged to another tree than one of
    /// their names is in, if a quota came between them.
    func checkQuotas(_ inodes: [InodeID: InodeRecord]) throws(MetadataError) {
        var used: [InodeID: QuotaAmount] = [:]
        for (tree, _) in quotas.inOrder { used[tree] = .zero }
        let transaction = begin()
        for (inode, record) in inodes where record.quota.rawValue != 0 {
            guard quotas[record.quota] != nil else { throw .corrupt("\(inode) is charged to \(record.quota)") }
            for (tree, _) in transaction.quotaChain(from: record.quota) {
                used[tree]?.bytes += record.quotaAmount.bytes
                used[tree]?.inodes += record.quotaAmount.inodes
            }
        }
        for (tree, quota) in quotas.inOrder {
            guard used[tree] == quota.used else {
                throw .corrupt("quota \(tree): \(quota.used) used, \(used[tree] ?? .zero) counted")
            }
            if let record = inodes[tree] {
                guard record.quota == quota.parent else { throw .corrupt("quota \(tree) is not in \(quota.parent)") }
            } else {
                guard quota.state == .removing else { throw .corrupt("quota \(tree) has no directory") }
            }
        }
        try checkQuotaDirectories(inodes)
    }

    private func checkQuotaDirectories(_ inodes: [InodeID: InodeRecord]) throws(MetadataError) {
        let transaction = begin()
        var positions: [InodeID: UInt64] = [:]
        var walked: Set<InodeID> = []
        try each(.quotaWalk, transaction) { key, value throws(MetadataError) in
            let cookie = try QuotaWalkPosition(stored: value).cookie
            let directory = InodeID(Keys.field(key, at: 9))
            positions[directory] = min(positions[directory] ?? .max, cookie)
            walked.insert(InodeID(Keys.field(key, at: 1)))
        }
        try each(.cookie, transaction) { key, value throws(MetadataError) in
            let directory = InodeID(Keys.field(key, at: 1))
            let entry = try CookieRecord(stored: value)
            guard let parent = inodes[directory], let record = inodes[entry.inode], record.isDirectory else { return }
            if let position = positions[directory], Keys.field(key, at: 9) > position { return }
            let tree = transaction.quotaTree(ofEntriesOf: parent)
            guard record.quota == tree else {
                throw .corrupt("directory \(entry.inode) in \(directory) is charged to \(record.quota), not \(tree)")
            }
        }
        for tree in walked where quotas[tree]?.state ?? .active == .active {
            throw .corrupt("a walk for \(tree), which is settled")
        }
    }
}
