import Synchronization

/// The in-memory twin of the production engine, for tests and simulation. Nothing survives the object.
package final class InMemoryStore: KeyValueStore {
    private struct Entry {
        var key: [UInt8]
        var value: [UInt8]
    }
    /// Sorted by key.
    private let entries = Mutex<[Entry]>([])

    package init() {}

    package func get(_ key: [UInt8]) throws(KeyValueError) -> [UInt8]? {
        entries.withLock { entries in
            let index = Self.lowerBound(entries, key)
            return index < entries.count && entries[index].key == key ? entries[index].value : nil
        }
    }

    package func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(KeyValueError) {
        let copy = entries.withLock { $0 }
        var index = Self.lowerBound(copy, lower)
        while index < copy.count, copy[index].key.lexicographicallyPrecedes(upper) {
            let proceed = copy[index].key.withUnsafeBytes { key in
                copy[index].value.withUnsafeBytes { body(key, $0) }
            }
            if !proceed { return }
            index += 1
        }
    }

    package func commit(_ batch: WriteBatch, sync: Bool) throws(KeyValueError) {
        entries.withLock { entries in
            for change in batch.changes {
                switch change {
                case .put(let key, let value):
                    let index = Self.lowerBound(entries, key)
                    if index < entries.count, entries[index].key == key {
                        entries[index].value = value
                    } else {
                        entries.insert(Entry(key: key, value: value), at: index)
                    }
                case .delete(let key):
                    let index = Self.lowerBound(entries, key)
                    if index < entries.count, entries[index].key == key { entries.remove(at: index) }
                }
            }
        }
    }

    package func sync() throws(KeyValueError) {}
    package func close() {}

    private static func lowerBound(_ entries: [Entry], _ key: [UInt8]) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].key.lexicographicallyPrecedes(key) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
