import ShoalKeyValue
import ShoalTypes

/// Makes chunks durable.
///
/// Order of one sync, for all chunks of all callers that share it:
/// 1. `fdatasync` of every chunk file with unsynced bytes,
/// 2. `fsync` of the directories of those that are new (and of new directories' parents),
/// 3. a batch that removes the 'creating' records of the new ones,
/// 4. one sync of the index.
///
/// Data first, then the index: once the index says durably that a block has a checksum and no mark stands, the block's bytes are
/// durable. A small chunk needs step 4 only. Marks stay until the chunk has been idle (`clearIdle`): a chunk that is written and
/// synced again and again then pays for its mark once.
final class Syncer: Sendable {
    private let index: ChunkIndex
    private let files: ChunkFiles
    private let latch: FailureLatch
    private let limits: ChunkStoreLimits
    let dirty: DirtyTable
    private let rounds = GroupCommit<ChunkID>()

    init(index: ChunkIndex, files: ChunkFiles, latch: FailureLatch, limits: ChunkStoreLimits, dirty: DirtyTable) {
        self.index = index
        self.files = files
        self.latch = latch
        self.limits = limits
        self.dirty = dirty
    }

    /// Returns when every change of `chunks` that was complete when this was called is durable.
    func sync(_ chunks: [ChunkID]) throws(ChunkStoreError) {
        try latch.check()
        try rounds.join(chunks) { (chunks) throws(ChunkStoreError) in try perform(dirty.unsynced(chunks)) }
    }

    func syncAll() throws(ChunkStoreError) { try sync(dirty.unsynced(nil).map(\.chunk)) }

    private func perform(_ snapshots: [(chunk: ChunkID, entry: DirtyTable.Entry)]) throws(ChunkStoreError) {
        try latch.check()
        for (_, entry) in snapshots where entry.changes > entry.synced {
            do throws(DiskError) { try entry.file.sync() } catch { throw latch.fail(ChunkStoreError(error)) }
        }
        let new = snapshots.filter(\.entry.isNew)
        if !new.isEmpty {
            try files.syncNames(of: new.map(\.chunk))
            try dirty.confirmNames(new) { (named) throws(ChunkStoreError) in
                var batch = WriteBatch()
                for (chunk, entry) in named { batch.delete(IndexKey.file(chunk, in: entry.partition)) }
                try index.commit(batch)
            }
        }
        try index.syncAll()
        dirty.noteSynced(snapshots)
    }

    /// Before a chunk becomes dirty: keeps the table within its bound by syncing and clearing the eighth of it that has not
    /// changed for the longest time. This is what slows down a writer that never syncs to the speed of the disk.
    func makeRoom(for chunk: ChunkID) throws(ChunkStoreError) {
        guard dirty.count >= limits.dirtyChunksMax, !dirty.contains(chunk) else { return }
        let oldest = dirty.oldest(max(1, limits.dirtyChunksMax / 8))
        try sync(oldest)
        try clear(oldest)
    }

    /// Syncs chunks that have been left alone for `markIdle`, and clears their marks.
    func clearIdle(now: MonotonicInstant) throws(ChunkStoreError) {
        let idle = dirty.idle(for: limits.markIdle, now: now)
        if idle.isEmpty { return }
        try sync(idle)
        try clear(idle)
    }

    /// Clears the marks of the synced ones among `chunks`, of all if nil. The deletion itself needs no sync: a mark that
    /// outlives its reason costs a look after a crash, no more.
    func clear(_ chunks: [ChunkID]?) throws(ChunkStoreError) {
        try dirty.clear(chunks) { (cleared) throws(ChunkStoreError) in
            var batch = WriteBatch()
            for (chunk, entry) in cleared {
                for region in entry.marks.keys.sorted() {
                    batch.delete(IndexKey.mark(region, of: chunk, in: entry.partition))
                }
            }
            if !batch.isEmpty { try index.commit(batch) }
        }
    }
}
