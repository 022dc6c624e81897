import ShoalTypes
import ShoalWire

/// Takes a directory's quota away: at once nothing is refused for it any more, and what is in the directory is given to
/// the tree around it in steps.
///
/// Errors: `.notFound` (no such directory), `.noData` (it has no quota).
package struct RemoveQuota: NamespaceOperation {
    package let request: InodeRequest
    package init(_ request: InodeRequest) { self.request = request }
    package var caller: Caller { request.caller }
    private static let entriesAtOnce = 64

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try find(transaction)
        return []
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> Empty {
        var quota = try find(transaction)
        guard quota.state != .removing else { return Empty() }
        quota.state = .removing
        transaction.setQuota(quota, of: request.inode)
        transaction.startQuotaWalk(of: request.inode, in: request.inode)
        _ = try transaction.walkQuota(request.inode, limit: Self.entriesAtOnce)
        try transaction.charge(enforcing: false)
        return Empty()
    }

    private func find(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> QuotaTree {
        _ = try transaction.existing(request.inode)
        guard let quota = transaction.quota(request.inode) else { throw .file(.noData) }
        return quota
    }
}
