import Synchronization

/// The in-memory twin of the production engine, for tests and simulation. Nothing survives the object.
package final class InMemoryStore: KeyValueStore {
    private let entries = Mutex(SortedEntries())

    package init() {}

    package func get(_ key: [UInt8]) throws(KeyValueError) -> [UInt8]? { entries.withLock { $0[key] } }

    package func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(KeyValueError) {
        let snapshot = entries.withLock { $0 }
        snapshot.scan(from: lower) { key, value in
            guard key.lexicographicallyPrecedes(upper) else { return false }
            return key.withUnsafeBytes { key in value.withUnsafeBytes { body(key, $0) } }
        }
    }

    package func commit(_ batch: WriteBatch, sync: Bool) throws(KeyValueError) {
        entries.withLock { entries in
            for change in batch.changes {
                switch change {
                case .put(let key, let value): entries[key] = value
                case .delete(let key): entries[key] = nil
                }
            }
        }
    }

    package func sync() throws(KeyValueError) {}
    package func close() {}
}
