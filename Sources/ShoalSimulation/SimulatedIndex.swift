import ShoalKeyValue
import Synchronization
import ShoalTestSupport

/// The index of a machine that loses power: keeps a prefix of the batches that were not synced, as a write-ahead log
/// does.
package final class SimulatedIndex: Sendable {
    fileprivate struct State: Sendable {
        var durable: [[UInt8]: [UInt8]] = [:]
        var pending: [WriteBatch] = []
        var failsSyncs = false
        var syncs = 0
    }
    fileprivate let state = Mutex(State())
    fileprivate let power: Power

    package init(power: Power = Power()) { self.power = power }

    /// The store as it is after a restart.
    package func open() throws(KeyValueError) -> any KeyValueStore {
        let (durable, pending) = state.withLock { ($0.durable, $0.pending) }
        let store = InMemoryStore()
        var batch = WriteBatch()
        for (key, value) in durable.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) { batch.put(key, value) }
        try store.commit(batch, sync: false)
        for batch in pending { try store.commit(batch, sync: false) }
        return SimulatedStore(index: self, store: store)
    }

    package func losePower(keep: Double, using random: inout SeededGenerator) {
        let count = state.withLock { $0.pending.count }
        let kept = keep >= 1 ? count : keep <= 0 ? 0 : Int.random(in: 0...count, using: &random)
        state.withLock { state in
            for batch in state.pending[..<kept] { state.durable.apply(batch) }
            state.pending = []
        }
    }

    package func fail(syncs: Bool) { state.withLock { $0.failsSyncs = syncs } }
    package var syncCount: Int { state.withLock { $0.syncs } }
}

extension [[UInt8]: [UInt8]] {
    fileprivate mutating func apply(_ batch: WriteBatch) {
        for change in batch.changes {
            switch change {
            case .put(let key, let value): self[key] = value
            case .delete(let key): self[key] = nil
            }
        }
    }
}

private final class SimulatedStore: KeyValueStore {
    private let index: SimulatedIndex
    private let store: InMemoryStore

    package init(index: SimulatedIndex, store: InMemoryStore) {
        self.index = index
        self.store = store
    }

    package func get(_ key: [UInt8]) throws(KeyValueError) -> [UInt8]? { try store.get(key) }

    package func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(KeyValueError) {
        try store.scan(from: lower, to: upper, body)
    }

    package func commit(_ batch: WriteBatch, sync: Bool) throws(KeyValueError) {
        guard index.power.spend() else { throw .inputOutput("commit without power") }
        try store.commit(batch, sync: sync)
        index.state.withLock { $0.pending.append(batch) }
        if sync { try self.sync() }
    }

    package func sync() throws(KeyValueError) {
        guard index.power.spend() else { throw .inputOutput("sync without power") }
        let fails = index.state.withLock { state in
            state.syncs += 1
            if state.failsSyncs { return true }
            for batch in state.pending { state.durable.apply(batch) }
            state.pending = []
            return false
        }
        if fails { throw .inputOutput("the sync failed") }
    }

    package func close() {}
}
