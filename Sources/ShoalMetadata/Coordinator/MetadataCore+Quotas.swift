import ShoalTypes
import ShoalWire

/// Counts what is in directories that were given a quota, and gives back what is in those that lost theirs: so many
/// inodes per tick. How far that has come is in the store.
extension MetadataCore {
    func tickQuotas() {
        var left = limits.quotaInodesPerTick
        for tree in namespace.quotas.unsettled.sorted() {
            while left > 0, namespace.quotas.unsettled.contains(tree) {
                left -= limits.quotaInodesPerBatch
                guard walkQuota(tree) else { break }
            }
        }
    }

    /// One batch; whether it changed anything.
    private func walkQuota(_ tree: InodeID) -> Bool {
        var transaction = namespace.begin()
        do throws(MetadataError) {
            let writable = try transaction.walkQuota(tree, limit: limits.quotaInodesPerBatch)
            guard !transaction.isEmpty, commit(transaction) == nil else { return false }
            for inode in writable { recallWriters(inode) }
            return true
        } catch {
            _ = failed(error)
            return false
        }
    }

    /// A writer that began while nobody counted writes back what it has, gives back what it reserved, and learns with its
    /// next lease that it has to reserve first.
    private func recallWriters(_ inode: InodeID) {
        for writer in leases.writers(of: inode, besides: .none) {
            recall(inode, writer, to: writer.idleMode, isCold: false)
        }
    }
}
