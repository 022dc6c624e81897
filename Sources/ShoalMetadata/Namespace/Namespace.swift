import ShoalKeyValue
import ShoalTypes

/// The tree of names in one store: what transactions share. One owner, one transaction at a time, no I/O but the
/// store's.
///
///     var transaction = namespace.begin()
///     let answer = try operation.execute(&transaction, context)
///     transaction.put(Keys.sessionReply(session, slot: slot), answer.encoded())
///     try namespace.commit(transaction)
package final class Namespace {
    package let store: any KeyValueStore
    package let superblock: Superblock
    package let limits: NamespaceLimits
    var cache: InodeCache
    /// What is given out next.
    var next: Identifiers
    /// What the store holds, synced: numbers at or above it must not leave this process.
    private(set) var ceiling: Identifiers
    /// Inodes in the store, orphans and the root included.
    package private(set) var inodeCount: UInt64
    /// Directories with a quota.
    package private(set) var quotas: QuotaTable
    package private(set) var trash: TrashState

    package var cluster: ClusterID { superblock.cluster }

    /// Opens a formatted store. Numbers that an earlier process had reserved are skipped.
    /// - Throws: `.corrupt` if the store was never formatted (see `format`) or not by this release.
    package init(store: any KeyValueStore, limits: NamespaceLimits = .production) throws(MetadataError) {
        self.store = store
        self.limits = limits
        superblock = try Namespace.required(Superblock.self, Keys.superblock, in: store)
        ceiling = try Namespace.required(Identifiers.self, Keys.identifiers, in: store)
        inodeCount = try Namespace.required(InodeCount.self, Keys.inodeCount, in: store).count
        next = ceiling
        cache = InodeCache(limits: limits)
        quotas = try QuotaTable(store)
        trash = try Namespace.record(TrashState.self, Keys.trash, in: store) ?? TrashState()
    }

    package func begin() -> NamespaceTransaction { NamespaceTransaction(self) }

    /// Makes a transaction's changes durable and visible to the next one. Without `sync` they survive the end of the
    /// process; identifiers that were reserved are synced in any case.
    /// - Throws: `.store`; the changes may or may not be in the store then, so the namespace must not be used further.
    package func commit(
        _ transaction: consuming NamespaceTransaction, sync: Bool = false
    ) throws(MetadataError) {
        guard !transaction.isEmpty else { return }
        var transaction = transaction
        try transaction.charge(enforcing: false)
        let batch = transaction.seal()
        do { try store.commit(batch, sync: sync || transaction.mustSync) } catch { throw .store(error) }
        didCommit(transaction)
    }

    /// For a commit that went elsewhere: what `seal()` returned is in the store, and synced if `mustSync` said so.
    package func didCommit(_ transaction: consuming NamespaceTransaction) {
        if let raised = transaction.raisedCeiling { ceiling = raised }
        inodeCount = UInt64(Int64(inodeCount) + transaction.inodeCountDelta)
        for change in transaction.quotaChanges { quotas[change.tree] = change.quota }
        if let state = transaction.trashChange { trash = state }
        for change in transaction.inodeChanges { cache.set(change.inode, change.record) }
        for change in transaction.dentryChanges { cache.set(change.key, change.dentry) }
    }

    /// A session ID that no session ever had. Reserved with the next commit: write the session's record in it.
    package func allocateSession(_ transaction: borrowing NamespaceTransaction) -> SessionID {
        defer { next.session += 1 }
        return SessionID(next.session)
    }

    /// Counts this start of a leader, synced, and returns the count: the high bits of every lease sequence.
    package func countRestart() throws(MetadataError) -> UInt64 {
        var count = try Namespace.required(RestartCount.self, Keys.restartCount, in: store)
        count.count += 1
        var batch = WriteBatch()
        batch.put(Keys.restartCount, count.stored())
        do { try store.commit(batch, sync: true) } catch { throw .store(error) }
        return count.count
    }

    private static func required<Record: StoredRecord>(
        _ type: Record.Type, _ key: [UInt8], in store: any KeyValueStore
    ) throws(MetadataError) -> Record {
        guard let record = try record(type, key, in: store) else {
            throw .corrupt("\(type) is missing: the store was never formatted")
        }
        return record
    }

    private static func record<Record: StoredRecord>(
        _ type: Record.Type, _ key: [UInt8], in store: any KeyValueStore
    ) throws(MetadataError) -> Record? {
        let bytes: [UInt8]?
        do { bytes = try store.get(key) } catch { throw .store(error) }
        guard let bytes else { return nil }
        return try Record(stored: bytes)
    }
}
