import ShoalChunkStore
import ShoalTypes
import Synchronization

/// Group commit: requests that arrive while a sync runs share the next one.
final class SyncThread: Sendable {
    typealias Completion = @Sendable (Result<Void, ChunkStoreError>) -> Void

    private struct Waiting {
        var chunks: [(ChunkID, PartitionID)] = []
        var completions: [Completion] = []
    }
    private let waiting = Mutex(Waiting())
    private let store: ChunkStore
    private let queue: any WorkQueue

    init(store: ChunkStore, queue: any WorkQueue) {
        self.store = store
        self.queue = queue
    }

    func submit(_ chunks: [(ChunkID, PartitionID)], completion: @escaping Completion) {
        let isFirst = waiting.withLock { waiting in
            waiting.chunks.append(contentsOf: chunks)
            waiting.completions.append(completion)
            return waiting.completions.count == 1
        }
        if isFirst { queue.submit { [self] in syncWaiting() } }
    }

    /// The store's background work, in steps between the syncs. `onFailure` runs on this thread.
    func maintain(now: MonotonicInstant, onFailure: @escaping @Sendable (ChunkStoreError) -> Void) {
        queue.submit { [self] in
            do throws(ChunkStoreError) {
                if try store.maintain(now: now) { maintain(now: now, onFailure: onFailure) }
            } catch {
                onFailure(error)
            }
        }
    }

    func close() { queue.close() }

    private func syncWaiting() {
        let batch = waiting.withLock { waiting in
            let batch = waiting
            waiting = Waiting()
            return batch
        }
        let result: Result<Void, ChunkStoreError>
        do throws(ChunkStoreError) {
            try store.sync(batch.chunks)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        for completion in batch.completions { completion(result) }
    }
}
