import Glibc
import ShoalChunkStore
import ShoalTypes
import Synchronization

/// The threads that touch the disk: one per shard of the chunk store (reads, writes and whatever else concerns one
/// chunk, in the order of submission), one for syncs, one for scans of the index.
package final class ChunkThreads: Sendable {
    package let store: ChunkStore
    private let shards: [any WorkQueue]
    private let scanning: any WorkQueue
    private let syncing: SyncThread
    private let queued = Atomic<Int>(0)

    package init(store: ChunkStore, makeQueue: () -> any WorkQueue = { WorkThread() }) {
        self.store = store
        shards = (0..<store.shardCount).map { _ in makeQueue() }
        scanning = makeQueue()
        syncing = SyncThread(store: store, queue: makeQueue())
    }

    /// The threads that a request for a chunk waits for.
    package var shardThreads: [pthread_t] { shards.compactMap { ($0 as? WorkThread)?.thread } }

    /// Requests handed over and not finished.
    package var queuedCount: Int { queued.load(ordering: .relaxed) }

    /// Runs `work` on the thread of the chunk's shard, after what was submitted for it before.
    package func submit(_ chunk: ChunkID, _ work: @escaping @Sendable (ChunkStore) -> Void) {
        queued.add(1, ordering: .relaxed)
        shards[store.shard(of: chunk)].submit { [self] in
            work(store)
            queued.subtract(1, ordering: .relaxed)
        }
    }

    /// Runs `work` on the scanning thread.
    package func scan(_ work: @escaping @Sendable (ChunkStore) -> Void) {
        scanning.submit { [self] in work(store) }
    }

    /// Runs `work` on the scanning thread once everything submitted so far, to any shard, is done.
    package func scanAfterBarrier(_ work: @escaping @Sendable (ChunkStore) -> Void) {
        let remaining = SharedCountdown(shards.count)
        for shard in shards {
            shard.submit { [self] in
                if remaining.countDown() { scan(work) }
            }
        }
    }

    /// Makes the chunks durable together with everything else that waits for that; `completion` runs on the sync
    /// thread.
    package func sync(
        _ chunks: [(ChunkID, PartitionID)], completion: @escaping @Sendable (Result<Void, ChunkStoreError>) -> Void
    ) {
        syncing.submit(chunks, completion: completion)
    }

    /// Lets the store do its background work; about once a second. `onFailure` runs on the sync thread.
    package func maintain(now: MonotonicInstant, onFailure: @escaping @Sendable (ChunkStoreError) -> Void) {
        syncing.maintain(now: now, onFailure: onFailure)
    }

    /// Finishes all queued work and ends the threads.
    package func close() {
        for shard in shards { shard.close() }
        scanning.close()
        syncing.close()
    }
}

/// Counts down to zero from several threads.
package final class SharedCountdown: Sendable {
    private let remaining: Atomic<Int>
    package init(_ count: Int) { remaining = Atomic(count) }
    /// True for the call that reaches zero.
    package func countDown() -> Bool { remaining.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
}
