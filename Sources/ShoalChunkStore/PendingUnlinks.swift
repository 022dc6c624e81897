import ShoalKeyValue
import ShoalTypes
import Synchronization

/// Files of deleted chunks. A file is unlinked only when the deletion of its chunk is durable: otherwise a crash could bring
/// back an index that names a file which the disk lacks. Until then a 'deleting' record in the index remembers it.
final class PendingUnlinks: Sendable {
    private struct Unlink {
        var chunk: ChunkID
        var partition: PartitionID
        /// The commit that deleted the chunk.
        var ticket: ChunkIndex.Ticket
    }
    private struct State {
        var queue: [Unlink] = []
        var chunks: Set<ChunkID> = []
    }
    private let state = Mutex(State())
    private let index: ChunkIndex
    private let files: ChunkFiles

    init(index: ChunkIndex, files: ChunkFiles) {
        self.index = index
        self.files = files
    }

    var count: Int { state.withLock { $0.chunks.count } }

    func add(_ chunk: ChunkID, in partition: PartitionID, ticket: ChunkIndex.Ticket) {
        state.withLock { state in
            state.queue.append(Unlink(chunk: chunk, partition: partition, ticket: ticket))
            state.chunks.insert(chunk)
        }
    }

    /// Unlinks up to `max` files whose chunks' deletions are durable; true if more of them are left. One at a time under
    /// the lock, so that `settle` never lets a file be made anew that is then unlinked.
    func run(max: Int) throws(ChunkStoreError) -> Bool {
        for _ in 0..<max {
            let isEmpty = try state.withLock { (state) throws(ChunkStoreError) in
                guard let first = state.queue.first, index.isSynced(first.ticket) else { return true }
                try unlink(first)
                state.queue.removeFirst()
                state.chunks.remove(first.chunk)
                return false
            }
            if isEmpty { return false }
        }
        return state.withLock { $0.queue.first.map { index.isSynced($0.ticket) } ?? false }
    }

    /// Before `chunk` gets a new file: finishes the deletion of the old one, which may wait for a sync.
    func settle(_ chunk: ChunkID) throws(ChunkStoreError) {
        guard state.withLock({ $0.chunks.contains(chunk) }) else { return }
        try index.syncAll()
        try state.withLock { (state) throws(ChunkStoreError) in
            guard let position = state.queue.firstIndex(where: { $0.chunk == chunk }) else { return }
            try unlink(state.queue[position])
            state.queue.remove(at: position)
            state.chunks.remove(chunk)
        }
    }

    private func unlink(_ entry: Unlink) throws(ChunkStoreError) {
        do throws(DiskError) { try files.unlink(entry.chunk) } catch { throw ChunkStoreError(error) }
        var batch = WriteBatch()
        batch.delete(IndexKey.file(entry.chunk, in: entry.partition))
        try index.commit(batch)
    }
}
