import ShoalKeyValue
import ShoalTypes
import Synchronization

/// The key-value store with what the chunk store needs around it: tickets that say whether a commit is durable, shared
/// syncs, and failures that stick.
final class ChunkIndex: Sendable {
    /// Commits are numbered from 2. A sync makes all those durable whose number had been handed out when it began.
    typealias Ticket = UInt64

    let store: any KeyValueStore
    private let latch: FailureLatch
    /// Starts above `synced`: what a former process committed may not be synced either.
    private let committed = Atomic<Ticket>(1)
    private let synced = Atomic<Ticket>(0)
    private let syncs = GroupCommit<Never>()

    init(store: any KeyValueStore, latch: FailureLatch) {
        self.store = store
        self.latch = latch
    }

    func get(_ key: [UInt8]) throws(ChunkStoreError) -> [UInt8]? {
        do throws(KeyValueError) { return try store.get(key) } catch { throw ChunkStoreError(error) }
    }

    func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(ChunkStoreError) {
        do throws(KeyValueError) { try store.scan(from: lower, to: upper, body) } catch { throw ChunkStoreError(error) }
    }

    /// Atomic; survives the end of the process. A failure ends all writing: the engine may have applied part of it.
    @discardableResult
    func commit(_ batch: WriteBatch) throws(ChunkStoreError) -> Ticket {
        do throws(KeyValueError) { try store.commit(batch, sync: false) } catch {
            throw latch.fail(ChunkStoreError(error))
        }
        // After the commit: every ticket that a sync finds handed out is of a commit made before that sync.
        return committed.add(1, ordering: .sequentiallyConsistent).newValue
    }

    func isSynced(_ ticket: Ticket) -> Bool { ticket <= synced.load(ordering: .sequentiallyConsistent) }

    /// Returns when commit `ticket` survives the loss of power; shares the sync with whoever else waits.
    func sync(_ ticket: Ticket) throws(ChunkStoreError) {
        try latch.check()
        if isSynced(ticket) { return }
        try syncs.join([]) { (_) throws(ChunkStoreError) in
            let target = committed.load(ordering: .sequentiallyConsistent)
            do throws(KeyValueError) { try store.sync() } catch { throw latch.fail(ChunkStoreError(error)) }
            synced.store(target, ordering: .sequentiallyConsistent)
        }
    }

    /// Everything committed so far.
    func syncAll() throws(ChunkStoreError) { try sync(committed.load(ordering: .sequentiallyConsistent)) }
}
