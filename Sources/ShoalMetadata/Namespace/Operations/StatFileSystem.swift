import ShoalTypes
import ShoalWire

/// Space and inodes as statfs(2) shows them; the space comes from the coordinator. In a quota tree the total is the
/// limit, and what is free is free below every limit and on the nodes.
package struct StatFileSystem: NamespaceOperation {
    package let request: InodeRequest
    package init(_ request: InodeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] { [] }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> FileSystemStatistics {
        var space = FileSystemStatistics(
            bytesTotal: context.bytesTotal, bytesFree: context.bytesFree, inodesUsed: transaction.inodeCount)
        guard transaction.hasQuotas, let record = try transaction.inode(request.inode) else { return space }
        let tree = record.isDirectory ? transaction.quotaTree(ofEntriesOf: record) : record.quota
        for (_, quota) in transaction.quotaChain(from: tree) where quota.state != .removing {
            if quota.limit.bytes < .max, quota.room.bytes <= space.bytesFree || quota.limit.bytes < space.bytesTotal {
                space.bytesFree = min(space.bytesFree, quota.room.bytes)
                space.bytesTotal = min(quota.limit.bytes, quota.used.bytes + space.bytesFree)
            }
            if quota.limit.inodes < .max, quota.room.inodes < space.inodesFree ?? .max {
                space.inodesFree = quota.room.inodes
                space.inodesUsed = quota.used.inodes
            }
        }
        return space
    }
}
