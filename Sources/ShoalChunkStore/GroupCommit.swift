import Glibc

/// Callers that arrive while a piece of work runs share the next run of it: all of their items, one sync, one outcome.
final class GroupCommit<Item: Sendable>: @unchecked Sendable {
    // Every stored property is guarded by `mutex`.
    private final class Round {
        var items: [Item] = []
        var isDone = false
        var error: ChunkStoreError?
    }
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var collecting = Round()
    private var isRunning = false

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        changed.deallocate()
        mutex.deallocate()
    }

    /// Returns when a run of `work` that began after this call, with `items` among its items, has ended. `work` may be
    /// that of another caller.
    func join(_ items: [Item], _ work: ([Item]) throws(ChunkStoreError) -> Void) throws(ChunkStoreError) {
        pthread_mutex_lock(mutex)
        let round = collecting
        round.items += items
        while !round.isDone && isRunning { pthread_cond_wait(changed, mutex) }
        if !round.isDone {
            // Nobody runs, so this round still collects, and this caller leads it.
            collecting = Round()
            isRunning = true
            pthread_mutex_unlock(mutex)
            var failure: ChunkStoreError?
            do throws(ChunkStoreError) { try work(round.items) } catch { failure = error }
            pthread_mutex_lock(mutex)
            round.error = failure
            round.isDone = true
            isRunning = false
            pthread_cond_broadcast(changed)
        }
        let error = round.error
        pthread_mutex_unlock(mutex)
        if let error { throw error }
    }
}
