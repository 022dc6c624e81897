import Dispatch
import ShoalKeyValue
import Synchronization

/// Group commit: whoever asks while a sync runs shares the next one. The disk is waited for on a thread of its own.
final class StoreSyncs: Sendable {
    typealias Completion = @Sendable (KeyValueError?) -> Void
    private let store: any KeyValueStore
    private let queue = DispatchQueue(label: "shoal.metadata.sync")
    private let waiting = Mutex<[Completion]>([])

    init(_ store: any KeyValueStore) { self.store = store }

    /// `completion` runs on the sync thread, after everything committed before this call is on the disk.
    func submit(_ completion: @escaping Completion) {
        let isFirst = waiting.withLock { waiting in
            waiting.append(completion)
            return waiting.count == 1
        }
        guard isFirst else { return }
        queue.async { [self] in
            let group = waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            var failure: KeyValueError?
            do throws(KeyValueError) { try store.sync() } catch { failure = error }
            for completion in group { completion(failure) }
        }
    }

    /// Returns when the syncs under way are done.
    func drain() { queue.sync {} }
}
