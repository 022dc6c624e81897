/// A sorted map in blocks of bounded size, so that a change moves one block and not every entry behind it.
struct SortedEntries: Sendable {
    private struct Entry {
        var key: [UInt8]
        var value: [UInt8]
    }
    private static let blockEntriesMax = 256
    /// In order, none empty.
    private var blocks: [[Entry]] = []

    /// Nil deletes.
    subscript(key: [UInt8]) -> [UInt8]? {
        get {
            let (block, index, isPresent) = find(key)
            return isPresent ? blocks[block][index].value : nil
        }
        set {
            let (block, index, isPresent) = find(key)
            if let newValue {
                if isPresent {
                    blocks[block][index].value = newValue
                } else {
                    insert(Entry(key: key, value: newValue), block, index)
                }
            } else if isPresent {
                blocks[block].remove(at: index)
                if blocks[block].isEmpty { blocks.remove(at: block) }
            }
        }
    }

    /// Entries from `lower` on in ascending order, until `body` returns false.
    func scan(from lower: [UInt8], _ body: ([UInt8], [UInt8]) -> Bool) {
        var (block, index, _) = find(lower)
        while block < blocks.count {
            while index < blocks[block].count {
                if !body(blocks[block][index].key, blocks[block][index].value) { return }
                index += 1
            }
            block += 1
            index = 0
        }
    }

    private mutating func insert(_ entry: Entry, _ block: Int, _ index: Int) {
        guard block < blocks.count else { return blocks.append([entry]) }
        blocks[block].insert(entry, at: index)
        guard blocks[block].count > Self.blockEntriesMax else { return }
        let half = blocks[block].count / 2
        let upper = Array(blocks[block][half...])
        blocks[block].removeSubrange(half...)
        blocks.insert(upper, at: block + 1)
    }

    /// Where `key` is, or belongs: in the last block that starts at or below it.
    private func find(_ key: [UInt8]) -> (block: Int, index: Int, isPresent: Bool) {
        let above = Self.firstIndex(blocks.count) { key.lexicographicallyPrecedes(blocks[$0][0].key) }
        let block = max(above - 1, 0)
        guard block < blocks.count else { return (0, 0, false) }
        let entries = blocks[block]
        let index = Self.firstIndex(entries.count) { !entries[$0].key.lexicographicallyPrecedes(key) }
        return (block, index, index < entries.count && entries[index].key == key)
    }

    /// The first of `count` indices from which on the condition holds.
    private static func firstIndex(_ count: Int, where holds: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
