import ShoalKeyValue
import ShoalTypes

/// Changes to the namespace that become durable together, or not at all when it is dropped. Reads see its own changes.
///
/// Meant for one operation, or a bounded handful (a page of orphans): changes are found by linear search.
package struct NamespaceTransaction: ~Copyable {
    struct InodeChange {
        let inode: InodeID
        var record: InodeRecord?
        /// The store has no such inode.
        var isNew = false
    }
    struct DentryChange {
        let key: InodeCache.DentryKey
        var dentry: Dentry?
    }
    struct RawChange {
        let key: [UInt8]
        var value: [UInt8]?
    }
    let namespace: Namespace
    var inodeChanges: [InodeChange] = []
    var dentryChanges: [DentryChange] = []
    var rawChanges: [RawChange] = []
    var inodeCountDelta: Int64 = 0
    var quotaChanges: [QuotaChange] = []
    /// The trash as this transaction leaves it, if it changes it.
    var trashChange: TrashState?
    /// Every inode's change is in the usage of its trees.
    var isCharged = false
    private(set) var raisedCeiling: Identifiers?

    init(_ namespace: Namespace) { self.namespace = namespace }

    /// Nothing to commit.
    package var isEmpty: Bool {
        inodeChanges.isEmpty && dentryChanges.isEmpty && rawChanges.isEmpty && quotaChanges.isEmpty
            && trashChange == nil
    }

    /// The batch reserves identifiers: it must be synced before anybody learns of them.
    package var mustSync: Bool { raisedCeiling != nil || namespace.next.exceeds(namespace.ceiling) }

    /// The changes as one batch. Call it once, when nothing more is to change.
    /// - Precondition: `charge` was called, if there are quotas.
    package mutating func seal() -> WriteBatch {
        precondition(isCharged || !hasQuotas || inodeChanges.isEmpty, "a change that no quota tree was charged for")
        var batch = WriteBatch()
        for change in inodeChanges {
            let key = Keys.inode(change.inode)
            if let record = change.record { batch.put(key, record.stored()) } else { batch.delete(key) }
        }
        for change in dentryChanges {
            let key = Keys.dentry(change.key.parent, change.key.name)
            if let dentry = change.dentry { batch.put(key, dentry.stored()) } else { batch.delete(key) }
        }
        for change in rawChanges {
            if let value = change.value { batch.put(change.key, value) } else { batch.delete(change.key) }
        }
        for change in quotaChanges {
            let key = Keys.quota(change.tree)
            if let quota = change.quota { batch.put(key, quota.stored()) } else { batch.delete(key) }
        }
        if let trashChange { batch.put(Keys.trash, trashChange.stored()) }
        if inodeCountDelta != 0 {
            let count = Int64(namespace.inodeCount) + inodeCountDelta
            precondition(count > 0, "fewer inodes than the root")
            batch.put(Keys.inodeCount, InodeCount(UInt64(count)).stored())
        }
        if namespace.next.exceeds(namespace.ceiling) {
            let raised = namespace.next.raised(by: namespace.limits.identifierRange)
            raisedCeiling = raised
            batch.put(Keys.identifiers, raised.stored())
        }
        return batch
    }

    /// Inodes, this transaction's changes included.
    var inodeCount: UInt64 { UInt64(Int64(namespace.inodeCount) + inodeCountDelta) }

    func allocateInode() -> InodeID {
        defer { namespace.next.inode += 1 }
        return InodeID(namespace.next.inode)
    }

    func allocateData() -> DataID {
        defer { namespace.next.data += 1 }
        return DataID(namespace.next.data)
    }

    func allocateCookie() -> UInt64 {
        defer { namespace.next.cookie += 1 }
        return namespace.next.cookie
    }

    /// Above every cookie that was ever handed out, here or by an earlier process; cookies to come are not below it.
    var cookieBound: UInt64 { namespace.next.cookie }
}
