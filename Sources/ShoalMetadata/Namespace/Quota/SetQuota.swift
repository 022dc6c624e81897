import ShoalTypes
import ShoalWire

/// Gives a directory a quota, or its quota other limits. What is in the directory already is counted in steps; until
/// that is done nothing is refused. Limits below what is used are no error: nothing can be added then.
///
/// Errors: `.notFound`, `.notDirectory`, `.notPermitted` (the trash), `.busy` (its former quota is still being removed),
/// `.noSpace` (too many quotas).
package struct SetQuota: NamespaceOperation {
    package let request: SetQuotaRequest
    package init(_ request: SetQuotaRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        try check(transaction)
        return []
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> QuotaListReply {
        try check(transaction)
        let tree = request.inode
        if var quota = transaction.quota(tree) {
            apply(to: &quota)
            transaction.setQuota(quota, of: tree)
        } else {
            var quota = QuotaTree()
            let directory = try transaction.directory(tree)
            quota.parent = directory.quota
            apply(to: &quota)
            if directory.entryCount > 0 {
                quota.state = .counting
                transaction.startQuotaWalk(of: tree, in: tree)
            }
            transaction.setQuota(quota, of: tree)
        }
        try transaction.charge(enforcing: false)
        return QuotaListReply(entries: transaction.quota(tree).map { [QuotaEntry(tree, $0)] } ?? [], isEnd: true)
    }

    private func apply(to quota: inout QuotaTree) {
        if let bytes = request.bytes { quota.limit.bytes = bytes }
        if let inodes = request.inodes { quota.limit.inodes = inodes }
    }

    private func check(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) {
        let directory = try transaction.directory(request.inode)
        guard !transaction.isTrash(directory) else { throw .file(.notPermitted) }
        if let quota = transaction.quota(request.inode) {
            guard quota.state != .removing else { throw .file(.busy) }
        } else {
            guard transaction.namespace.quotas.count < transaction.namespace.limits.quotasMax else {
                throw .file(.noSpace)
            }
        }
    }
}

extension QuotaEntry {
    init(_ tree: InodeID, _ quota: QuotaTree) {
        self.init()
        self.tree = tree
        parent = quota.parent
        limit = quota.limit
        used = quota.used
        state =
            switch quota.state {
            case .active: .active
            case .counting: .counting
            case .removing: .removing
            }
    }
}
