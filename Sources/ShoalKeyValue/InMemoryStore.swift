import Synchronization

/// The in-memory twin of the production engine, for tests and simulation. Nothing survives the object.
///
/// A sorted list of sorted leaves: an insertion moves at most one leaf. A scan works on a copy, which shares the leaves
/// until they change.
package final class InMemoryStore: KeyValueStore {
    private struct Entry {
        var key: [UInt8]
        var value: [UInt8]
    }
    /// Every leaf has entries, at most `leafMax`, and all leaves are in order.
    private let leaves = Mutex<[[Entry]]>([])
    private static let leafMax = 256

    package init() {}

    package func get(_ key: [UInt8]) throws(KeyValueError) -> [UInt8]? {
        leaves.withLock { leaves in
            guard let (leaf, index) = Self.find(leaves, key), Self.holds(leaves, leaf, index, key) else { return nil }
            return leaves[leaf][index].value
        }
    }

    package func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(KeyValueError) {
        let copy = leaves.withLock { $0 }
        guard let (first, start) = Self.find(copy, lower) else { return }
        for leaf in first..<copy.count {
            for entry in copy[leaf][(leaf == first ? start : 0)...] {
                guard entry.key.lexicographicallyPrecedes(upper) else { return }
                let proceed = entry.key.withUnsafeBytes { key in entry.value.withUnsafeBytes { body(key, $0) } }
                if !proceed { return }
            }
        }
    }

    package func commit(_ batch: WriteBatch, sync: Bool) throws(KeyValueError) {
        leaves.withLock { leaves in
            for change in batch.changes {
                switch change {
                case .put(let key, let value): Self.put(&leaves, key, value)
                case .delete(let key): Self.delete(&leaves, key)
                }
            }
        }
    }

    package func sync() throws(KeyValueError) {}
    package func close() {}

    private static func put(_ leaves: inout [[Entry]], _ key: [UInt8], _ value: [UInt8]) {
        guard let (leaf, index) = find(leaves, key) else {
            leaves.append([Entry(key: key, value: value)])
            return
        }
        if holds(leaves, leaf, index, key) {
            leaves[leaf][index].value = value
            return
        }
        leaves[leaf].insert(Entry(key: key, value: value), at: index)
        if leaves[leaf].count > leafMax {
            let upper = Array(leaves[leaf][(leafMax / 2)...])
            leaves[leaf].removeLast(upper.count)
            leaves.insert(upper, at: leaf + 1)
        }
    }

    private static func delete(_ leaves: inout [[Entry]], _ key: [UInt8]) {
        guard let (leaf, index) = find(leaves, key), holds(leaves, leaf, index, key) else { return }
        leaves[leaf].remove(at: index)
        if leaves[leaf].isEmpty { leaves.remove(at: leaf) }
    }

    /// Where `key` is, or belongs: in the last leaf that does not begin above it. nil if there are no leaves.
    private static func find(_ leaves: [[Entry]], _ key: [UInt8]) -> (leaf: Int, index: Int)? {
        if leaves.isEmpty { return nil }
        let after = partition(leaves.count) { !key.lexicographicallyPrecedes(leaves[$0][0].key) }
        let leaf = max(0, after - 1)
        return (leaf, partition(leaves[leaf].count) { leaves[leaf][$0].key.lexicographicallyPrecedes(key) })
    }

    private static func holds(_ leaves: [[Entry]], _ leaf: Int, _ index: Int, _ key: [UInt8]) -> Bool {
        index < leaves[leaf].count && leaves[leaf][index].key == key
    }

    /// The first of `0..<count` for which `isBefore` is false; it is true for all below.
    private static func partition(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
