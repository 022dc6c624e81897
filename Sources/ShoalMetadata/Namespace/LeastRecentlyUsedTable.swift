/// A table of at most `countMax` entries that forgets the least recently used one. Every call is O(1).
struct LeastRecentlyUsedTable<Key: Hashable, Value> {
    private struct Slot {
        var key: Key
        var value: Value
        var newer: Int
        var older: Int
    }
    private static var none: Int { -1 }
    private var indices: [Key: Int] = [:]
    private var slots: [Slot] = []
    private var free: [Int] = []
    private var newest = -1
    private var oldest = -1
    let countMax: Int

    /// - Precondition: `countMax` is at least 1.
    init(countMax: Int) {
        precondition(countMax > 0, "a table without room")
        self.countMax = countMax
    }

    var count: Int { indices.count }

    /// The value of `key`, which becomes the most recently used.
    mutating func value(_ key: Key) -> Value? {
        guard let index = indices[key] else { return nil }
        touch(index)
        return slots[index].value
    }

    mutating func set(_ key: Key, _ value: Value) {
        if let index = indices[key] {
            slots[index].value = value
            touch(index)
            return
        }
        if indices.count == countMax { remove(slots[oldest].key) }
        let slot = Slot(key: key, value: value, newer: Self.none, older: Self.none)
        let index: Int
        if let reused = free.popLast() {
            index = reused
            slots[index] = slot
        } else {
            index = slots.count
            slots.append(slot)
        }
        indices[key] = index
        linkAsNewest(index)
    }

    mutating func remove(_ key: Key) {
        guard let index = indices.removeValue(forKey: key) else { return }
        unlink(index)
        free.append(index)
    }

    private mutating func touch(_ index: Int) {
        guard index != newest else { return }
        unlink(index)
        linkAsNewest(index)
    }

    private mutating func linkAsNewest(_ index: Int) {
        slots[index].newer = Self.none
        slots[index].older = newest
        if newest != Self.none { slots[newest].newer = index }
        newest = index
        if oldest == Self.none { oldest = index }
    }

    private mutating func unlink(_ index: Int) {
        let newer = slots[index].newer
        let older = slots[index].older
        if newer == Self.none { newest = older } else { slots[newer].older = older }
        if older == Self.none { oldest = newer } else { slots[older].newer = newer }
    }
}
