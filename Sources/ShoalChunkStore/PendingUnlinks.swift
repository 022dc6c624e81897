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

    /// Unlinks up to `max` files whose chunks' deletions are durable; true if more of them are left.
    func run(max: Int) throws(ChunkStoreError) -> Bool {
        var left = max
        while left > 0 {
            let done = try state.withLock { (state) throws(ChunkStoreError) in
                let count = ready(state.queue, max: left)
                try unlink(Array(state.queue[..<count]))
                state.chunks.subtract(state.queue[..<count].map(\.chunk))
                state.queue.removeFirst(count)
                return count
            }
            if done == 0 { return false }
            left -= done
        }
        return state.withLock { ready($0.queue, max: 1) > 0 }
    }

    /// How many at the head of the queue may go now, all in one directory, which is synced once for them.
    private func ready(_ queue: [Unlink], max: Int) -> Int {
        guard let first = queue.first else { return 0 }
        let directory = files.directory(of: first.chunk)
        return queue.prefix(max).prefix { index.isSynced($0.ticket) && files.directory(of: $0.chunk) == directory }.count
    }

    /// Before `chunk` gets a new file: finishes the deletion of the old one, which may wait for a sync.
    func settle(_ chunk: ChunkID) throws(ChunkStoreError) {
        guard state.withLock({ $0.chunks.contains(chunk) }) else { return }
        try index.syncAll()
        try state.withLock { (state) throws(ChunkStoreError) in
            guard let position = state.queue.firstIndex(where: { $0.chunk == chunk }) else { return }
            try unlink([state.queue[position]])
            state.queue.remove(at: position)
            state.chunks.remove(chunk)
        }
    }

    /// Files of one directory. The end of their names is durable before their records go: a name that came back would have
    /// its bytes taken for those of a new chunk. Under the lock, so that no new file is made that is then unlinked.
    private func unlink(_ entries: [Unlink]) throws(ChunkStoreError) {
        guard let first = entries.first else { return }
        var batch = WriteBatch()
        for entry in entries {
            try diskCall { () throws(DiskError) in try files.unlink(entry.chunk) }
            batch.delete(IndexKey.file(entry.chunk, in: entry.partition))
        }
        try files.syncNames(of: [first.chunk])
        try index.commit(batch)
    }
}
