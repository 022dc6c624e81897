import Dispatch
import ShoalKeyValue
import Synchronization

/// Makes the store durable away from the loop. Requests that come while a sync runs share the next one.
final class SyncThread: Sendable {
    private struct State {
        var waiting: [@Sendable (KeyValueError?) -> Void] = []
        var isRunning = false
    }

    private let store: any KeyValueStore
    private let queue = DispatchQueue(label: "shoal.metadata.sync")
    private let state = Mutex(State())

    init(store: any KeyValueStore) { self.store = store }

    /// `completion` runs on the sync thread when everything that was committed before this call is durable.
    func sync(completion: @escaping @Sendable (KeyValueError?) -> Void) {
        let starts = state.withLock { state in
            state.waiting.append(completion)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if starts { queue.async { self.run() } }
    }

    private func run() {
        while true {
            let batch = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isRunning = false }
                return state.waiting
            }
            if batch.isEmpty { return }
            var failure: KeyValueError?
            do throws(KeyValueError) { try store.sync() } catch { failure = error }
            for completion in batch { completion(failure) }
        }
    }

    /// Returns when no sync is under way. Nothing may be submitted any more.
    func drain() { queue.sync {} }
}
