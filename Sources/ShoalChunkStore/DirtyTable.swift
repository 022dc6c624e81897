import ShoalTypes
import Synchronization

/// The chunk files that hold unsynced bytes or have dirty marks in the index.
///
/// A mark of a region says: blocks here that do not match their checksums after a crash were written without a sync, so
/// they carried no promise. It must be durable before bytes that a durable record of the index describes are
/// overwritten. A region, or a part of one, that is new needs no durable mark: its mark is in the batch that first
/// describes it, so either both survive or neither.
///
/// The shard's thread brackets each change of a chunk with `begin` and `end`; the syncing thread takes snapshots in
/// between and clears what has been synced.
final class DirtyTable: Sendable {
    struct Mark {
        /// The commit that put the mark.
        var ticket: ChunkIndex.Ticket
        /// Blocks of the region below this one were described durably before that commit, and may be overwritten only
        /// when the mark itself is durable.
        var coveredFrom: Int
    }
    struct Entry {
        var partition: PartitionID
        var file: any DiskFile
        /// The file's name is not known to be durable; a 'creating' record in the index says so.
        var isNew: Bool
        var marks: [Int: Mark] = [:]
        var isChanging = false
        /// Counts completed changes; those up to `synced` are durable.
        var changes: UInt64 = 0
        var synced: UInt64 = 0
        /// Orders the chunks by their last change.
        var lastChange: UInt64 = 0
        /// What `idle` saw last, and when it first saw it.
        var seen: (changes: UInt64, at: MonotonicInstant)?
    }
    /// A region that is about to be changed.
    struct Touch {
        var region: Int
        /// The first block, within the region, that exists already and will be overwritten or cut; nil if all are new.
        var existingFrom: Int?
        /// The first block that is new.
        var newFrom: Int
    }
    /// What has to happen before the bytes may change.
    struct Duty {
        /// Regions whose marks must be put and synced now.
        var persist: [Int] = []
        /// A mark that has been put must be durable: wait for this commit.
        var waitFor: ChunkIndex.Ticket = 0
        /// Regions that get their mark in the batch that describes the change, with their first new block.
        var cover: [(region: Int, from: Int)] = []
    }

    private let entries = Mutex<[ChunkID: Entry]>([:])
    private let clock = Atomic<UInt64>(0)

    var count: Int { entries.withLock { $0.count } }
    func contains(_ chunk: ChunkID) -> Bool { entries.withLock { $0[chunk] != nil } }

    /// A change begins; nothing of this chunk is cleared before `end`.
    func begin(
        _ chunk: ChunkID, in partition: PartitionID, file: any DiskFile, isNew: Bool, touches: [Touch]
    ) -> Duty {
        entries.withLock { entries in
            var entry = entries[chunk] ?? Entry(partition: partition, file: file, isNew: isNew)
            precondition(!entry.isChanging, "a chunk is changed by one caller at a time")
            entry.isChanging = true
            var duty = Duty()
            for touch in touches {
                if let mark = entry.marks[touch.region] {
                    if let first = touch.existingFrom, first < mark.coveredFrom {
                        duty.waitFor = max(duty.waitFor, mark.ticket)
                    }
                } else if touch.existingFrom != nil {
                    duty.persist.append(touch.region)
                } else {
                    duty.cover.append((touch.region, touch.newFrom))
                }
            }
            entries[chunk] = entry
            return duty
        }
    }

    /// Marks have been put by commit `ticket`.
    func note(_ regions: [(region: Int, from: Int)], of chunk: ChunkID, ticket: ChunkIndex.Ticket) {
        entries.withLock { entries in
            for (region, from) in regions { entries[chunk]?.marks[region] = Mark(ticket: ticket, coveredFrom: from) }
        }
    }

    /// The change is over: its bytes are in the kernel, and the index describes them.
    func end(_ chunk: ChunkID) {
        entries.withLock { entries in
            entries[chunk]?.isChanging = false
            entries[chunk]?.changes += 1
            entries[chunk]?.lastChange = clock.add(1, ordering: .relaxed).newValue
        }
    }

    /// The chunk is about to be deleted, with its marks; before that is committed (see `confirmNames`).
    func remove(_ chunk: ChunkID) -> Entry? { entries.withLock { $0.removeValue(forKey: chunk) } }

    /// Of `chunks`, those with bytes that are not synced; all such if nil. In order. An index of
    /// `ChunkStore.everyIndex` stands for every chunk of its data ID.
    func unsynced(_ chunks: [ChunkID]?) -> [(chunk: ChunkID, entry: Entry)] {
        entries.withLock { entries in
            let wholes = Set(chunks?.filter { $0.index == ChunkStore.everyIndex }.map(\.data) ?? [])
            let ofWholes = wholes.isEmpty ? [] : entries.keys.filter { wholes.contains($0.data) }
            let candidates = chunks.map { Array(Set($0).union(ofWholes)) } ?? Array(entries.keys)
            return candidates.sorted().compactMap { chunk in
                guard let entry = entries[chunk], entry.changes > entry.synced || entry.isNew else { return nil }
                return (chunk, entry)
            }
        }
    }

    /// The names of these files are durable: calls `commit` with those whose 'creating' record still stands. Under the
    /// lock, so that the record of a file that is deleted meanwhile, under the same key, is not taken for it.
    func confirmNames(
        _ snapshots: [(chunk: ChunkID, entry: Entry)],
        _ commit: ([(chunk: ChunkID, entry: Entry)]) throws(ChunkStoreError) -> Void
    ) throws(ChunkStoreError) {
        try entries.withLock { (entries) throws(ChunkStoreError) in
            let named = snapshots.filter { chunk, snapshot in
                guard let entry = entries[chunk] else { return false }
                return entry.isNew && entry.file === snapshot.file
            }
            if named.isEmpty { return }
            try commit(named)
            for (chunk, _) in named { entries[chunk]?.isNew = false }
        }
    }

    /// The changes in these snapshots are durable.
    func noteSynced(_ snapshots: [(chunk: ChunkID, entry: Entry)]) {
        entries.withLock { entries in
            for (chunk, snapshot) in snapshots {
                guard let entry = entries[chunk], entry.file === snapshot.file else { continue }
                entries[chunk]?.synced = max(entry.synced, snapshot.changes)
            }
        }
    }

    /// The `count` chunks whose last change is the longest ago.
    func oldest(_ count: Int) -> [ChunkID] {
        entries.withLock { entries in
            entries.filter { !$0.value.isChanging }.sorted { $0.value.lastChange < $1.value.lastChange }.prefix(count)
                .map(\.key)
        }
    }

    /// All chunks that have not changed for `interval`.
    func idle(for interval: Interval, now: MonotonicInstant) -> [ChunkID] {
        entries.withLock { entries in
            entries.keys.sorted().filter { chunk in
                guard let entry = entries[chunk], !entry.isChanging else { return false }
                if let seen = entry.seen, seen.changes == entry.changes { return now - seen.at >= interval }
                entries[chunk]?.seen = (entry.changes, now)
                return false
            }
        }
    }

    /// Calls `clear` with every entry among `chunks` (all if nil) whose changes are all synced, and forgets them. Under
    /// the lock, so that no change of them begins before their marks' deletion has been committed.
    func clear(
        _ chunks: [ChunkID]?, _ clear: ([(chunk: ChunkID, entry: Entry)]) throws(ChunkStoreError) -> Void
    ) throws(ChunkStoreError) {
        try entries.withLock { (entries) throws(ChunkStoreError) in
            let done: [(chunk: ChunkID, entry: Entry)] = (chunks ?? Array(entries.keys)).sorted().compactMap { chunk in
                guard let entry = entries[chunk], !entry.isChanging, !entry.isNew, entry.synced == entry.changes else {
                    return nil
                }
                return (chunk, entry)
            }
            if done.isEmpty { return }
            try clear(done)
            for (chunk, _) in done { entries[chunk] = nil }
        }
    }
}
