import ShoalKeyValue
import ShoalTypes
import Synchronization

/// Files of deleted chunks. A file is unlinked only when the deletion of its chunk is durable: otherwise a crash could
/// bring back an index that names a file which the disk lacks. Until then a 'deleting' record in the index remembers
/// it.
///
/// A file goes in three steps: it is unlinked, the end of its name is made durable, its record is removed. A name that
/// came back after its record has gone would have its bytes taken for those of a new chunk. The middle step is shared
/// by all files at hand and holds no lock; before the last one each file is looked up again, since `settle` may have
/// been faster.
final class PendingUnlinks: Sendable {
    private struct Unlink {
        var chunk: ChunkID
        var partition: PartitionID
        /// The commit that deleted the chunk.
        var ticket: ChunkIndex.Ticket
    }
    private struct State {
        /// In the order of deletion; those that are not in `pending` with their ticket are done.
        var queue: [Unlink] = []
        var pending: [ChunkID: ChunkIndex.Ticket] = [:]

        func isPending(_ unlink: Unlink) -> Bool { pending[unlink.chunk] == unlink.ticket }
    }
    private let state = Mutex(State())
    private let index: ChunkIndex
    private let files: ChunkFiles

    init(index: ChunkIndex, files: ChunkFiles) {
        self.index = index
        self.files = files
    }

    var count: Int { state.withLock { $0.pending.count } }

    func add(_ chunk: ChunkID, in partition: PartitionID, ticket: ChunkIndex.Ticket) {
        state.withLock { state in
            state.queue.append(Unlink(chunk: chunk, partition: partition, ticket: ticket))
            state.pending[chunk] = ticket
        }
    }

    /// Unlinks up to `max` files whose chunks' deletions are durable; true if more of them are left.
    func run(max: Int) throws(ChunkStoreError) -> Bool {
        try unlink(state.withLock { Array($0.queue.prefix(max).prefix { index.isSynced($0.ticket) }) })
        return state.withLock { $0.queue.first.map { index.isSynced($0.ticket) } ?? false }
    }

    /// Before `chunk` gets a new file: finishes the deletion of the old one, which may wait for a sync.
    func settle(_ chunk: ChunkID) throws(ChunkStoreError) {
        guard state.withLock({ $0.pending[chunk] != nil }) else { return }
        try index.syncAll()
        try unlink(state.withLock { state in state.queue.filter { $0.chunk == chunk && state.isPending($0) } })
    }

    private func unlink(_ unlinks: [Unlink]) throws(ChunkStoreError) {
        for unlink in unlinks {
            // Under the lock: a file that is no longer pending may be a new one.
            try state.withLock { (state) throws(ChunkStoreError) in
                guard state.isPending(unlink) else { return }
                try diskCall { () throws(DiskError) in try files.unlink(unlink.chunk) }
            }
        }
        if unlinks.isEmpty { return }
        try files.syncNames(of: unlinks.map(\.chunk))
        try state.withLock { (state) throws(ChunkStoreError) in
            var batch = WriteBatch()
            for unlink in unlinks where state.isPending(unlink) {
                batch.delete(IndexKey.file(unlink.chunk, in: unlink.partition))
                state.pending[unlink.chunk] = nil
            }
            state.queue = state.queue.filter(state.isPending)
            if !batch.isEmpty { try index.commit(batch) }
        }
    }
}
