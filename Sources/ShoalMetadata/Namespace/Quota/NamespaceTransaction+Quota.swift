import ShoalTypes

/// A quota tree as a transaction leaves it; nil if it goes.
struct QuotaChange {
    let tree: InodeID
    var quota: QuotaTree?
}

/// What inodes are charged to. Every change of an inode charges its tree, and the trees around that one, in the batch of
/// the change itself.
extension NamespaceTransaction {
    var hasQuotas: Bool { !quotaChanges.isEmpty || !namespace.quotas.isEmpty }

    /// Some tree is being counted or removed: what is in it may still be charged to the one around it.
    var hasUnsettledQuotas: Bool {
        !namespace.quotas.unsettled.isEmpty || quotaChanges.contains { $0.quota.map { $0.state != .active } ?? false }
    }

    func quota(_ tree: InodeID) -> QuotaTree? {
        if let change = quotaChanges.first(where: { $0.tree == tree }) { return change.quota }
        return namespace.quotas[tree]
    }

    mutating func setQuota(_ quota: QuotaTree?, of tree: InodeID) {
        if let index = quotaChanges.firstIndex(where: { $0.tree == tree }) {
            quotaChanges[index].quota = quota
        } else {
            quotaChanges.append(QuotaChange(tree: tree, quota: quota))
        }
    }

    /// What a new entry of the directory is charged to; 0 if nothing.
    func quotaTree(ofEntriesOf directory: InodeRecord) -> InodeID {
        guard hasQuotas else { return InodeID(0) }
        if let quota = quota(directory.inode), quota.state != .removing { return directory.inode }
        return directory.quota
    }

    /// The tree and those around it, the inner ones first.
    func quotaChain(from tree: InodeID) -> [(tree: InodeID, quota: QuotaTree)] {
        var chain: [(InodeID, QuotaTree)] = []
        var next = tree
        while next.rawValue != 0, let quota = quota(next) {
            chain.append((next, quota))
            next = quota.parent
        }
        return chain
    }

    /// What may still be added below every limit that holds.
    func quotaRoom(in tree: InodeID) -> QuotaAmount {
        quotaChain(from: tree).reduce(QuotaAmount.unlimited) { room, next in
            let own = next.quota.room
            return QuotaAmount(bytes: min(room.bytes, own.bytes), inodes: min(room.inodes, own.inodes))
        }
    }

    /// Charges what this transaction does to its inodes. Call it when no inode is to change any more; the second call
    /// does nothing.
    /// - Parameter enforcing: a tree may not grow past its limits, nor further past them.
    /// - Throws: `.quota`; drop the transaction then.
    package mutating func charge(enforcing: Bool) throws(MetadataError) {
        guard !isCharged else { return }
        isCharged = true
        guard hasQuotas else { return }
        for change in inodeChanges {
            let before = change.isNew ? nil : try committed(change.inode)
            let after = change.record
            if before?.quota != after?.quota || before?.quotaAmount != after?.quotaAmount {
                if let before { release(before.quotaAmount, from: before.quota) }
                if let after { add(after.quotaAmount, to: after.quota) }
            }
            if quota(change.inode) != nil { follow(change.inode, after) }
        }
        if enforcing { try enforceLimits() }
        for change in quotaChanges where change.quota?.state == .removing { try dropIfEmpty(change.tree) }
    }

    private func enforceLimits() throws(MetadataError) {
        for change in quotaChanges {
            guard let quota = change.quota, quota.state == .active else { continue }
            let before = namespace.quotas[change.tree]?.used ?? .zero
            let isOver =
                quota.used.bytes > max(before.bytes, quota.limit.bytes)
                || quota.used.inodes > max(before.inodes, quota.limit.inodes)
            if isOver { throw .file(.quota) }
        }
    }

    /// A directory with a quota has moved, taking what it holds to another tree, or has gone.
    private mutating func follow(_ tree: InodeID, _ record: InodeRecord?) {
        guard var quota = quota(tree) else { return }
        guard let record else {
            // What is unlinked and still open is charged to it until it goes.
            quota.state = .removing
            return setQuota(quota, of: tree)
        }
        guard quota.parent != record.quota else { return }
        release(quota.used, from: quota.parent)
        add(quota.used, to: record.quota)
        quota.parent = record.quota
        setQuota(quota, of: tree)
    }

    /// A tree that is being removed goes with the last inode that is charged to it.
    mutating func dropIfEmpty(_ tree: InodeID) throws(MetadataError) {
        guard let quota = quota(tree), quota.state == .removing, quota.used == .zero else { return }
        if try nextQuotaWalk(of: tree) == nil { setQuota(nil, of: tree) }
    }

    private mutating func add(_ amount: QuotaAmount, to tree: InodeID) {
        for (tree, quota) in quotaChain(from: tree) {
            var quota = quota
            quota.used.bytes += amount.bytes
            quota.used.inodes += amount.inodes
            setQuota(quota, of: tree)
        }
    }

    private mutating func release(_ amount: QuotaAmount, from tree: InodeID) {
        for (tree, quota) in quotaChain(from: tree) {
            var quota = quota
            assert(quota.used.bytes >= amount.bytes && quota.used.inodes >= amount.inodes, "\(tree) was not charged")
            // A wrong count must not keep anybody from removing files.
            quota.used.bytes -= min(quota.used.bytes, amount.bytes)
            quota.used.inodes -= min(quota.used.inodes, amount.inodes)
            setQuota(quota, of: tree)
        }
    }
}

extension InodeRecord {
    /// What it is charged with.
    var quotaAmount: QuotaAmount {
        let bytes = attributes.kind == .regular ? max(attributes.size, attributes.reservedSize) : 0
        return QuotaAmount(bytes: bytes, inodes: 1)
    }
}
