import Glibc
import ShoalTypes

/// Names with a 64-bit number each, packed: there are very many, and a dictionary of arrays takes over a hundred bytes for
/// each of them.
///
/// A record is the number (8 bytes), the length of the name (1 byte) and the name. Records lie one behind the other, and a
/// hash table of 32-bit positions finds them. What is removed leaves a gap; gaps are closed before they are half of all.
struct NameTable<Value: TypedNumber> {
    /// 0: free; `gap`: its record was removed; else 1 + the position of a record. A power of two of them, or none.
    private var slots: [UInt32] = []
    private var records: [UInt8] = []
    private(set) var count = 0
    private var gapCount = 0
    private var gapBytes = 0

    private static var headBytes: Int { 9 }
    private static var gap: UInt32 { .max }

    var isEmpty: Bool { count == 0 }
    /// What it takes in memory.
    var bytes: Int { records.capacity + slots.capacity * MemoryLayout<UInt32>.stride }

    subscript(name: FileName) -> Value? { find(name).map { value(at: $0.position) } }

    /// - Returns: The value that it had before.
    @discardableResult
    mutating func updateValue(_ value: Value, forKey name: FileName) -> Value? {
        if let position = find(name)?.position {
            let old = self.value(at: position)
            records.withUnsafeMutableBytes {
                $0.storeBytes(of: value.rawValue, toByteOffset: position, as: Value.RawValue.self)
            }
            return old
        }
        let needed = NameTable.headBytes + name.bytes.count
        makeRoom(for: needed)
        insert(records.count, hash: name.bytes.withUnsafeBytes(NameTable.hash))
        withUnsafeBytes(of: value.rawValue) { records.append(contentsOf: $0) }
        records.append(UInt8(name.bytes.count))
        records.append(contentsOf: name.bytes)
        count += 1
        return nil
    }

    @discardableResult
    mutating func removeValue(forKey name: FileName) -> Value? {
        guard let (slot, position) = find(name) else { return nil }
        let old = value(at: position)
        slots[slot] = NameTable.gap
        count -= 1
        gapCount += 1
        gapBytes += NameTable.headBytes + name.bytes.count
        if isEmpty { self = NameTable() }
        return old
    }

    /// Removes those whose value is not to stay.
    mutating func removeAll(where goes: (Value) -> Bool) {
        guard !isEmpty else { return }
        rebuild(for: 0) { !goes($0) }
        if isEmpty { self = NameTable() }
    }

    private func value(at position: Int) -> Value {
        Value(records.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: Value.RawValue.self) })
    }

    // MARK: Finding

    private static func hash(_ name: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: name)
        return hasher.finalize()
    }

    private func find(_ name: FileName) -> (slot: Int, position: Int)? {
        guard !slots.isEmpty else { return nil }
        let mask = slots.count - 1
        return name.bytes.withUnsafeBytes { name in
            records.withUnsafeBytes { records in
                var slot = NameTable.hash(name) & mask
                while slots[slot] != 0 {
                    if slots[slot] != NameTable.gap {
                        let position = Int(slots[slot] - 1)
                        let start = position + NameTable.headBytes
                        if Int(records[start - 1]) == name.count,
                            memcmp(records.baseAddress! + start, name.baseAddress!, name.count) == 0
                        {
                            return (slot, position)
                        }
                    }
                    slot = (slot + 1) & mask
                }
                return nil
            }
        }
    }

    private mutating func insert(_ position: Int, hash: Int) {
        let mask = slots.count - 1
        var slot = hash & mask
        while slots[slot] != 0 { slot = (slot + 1) & mask }
        slots[slot] = UInt32(position + 1)
    }

    // MARK: Room

    private mutating func makeRoom(for needed: Int) {
        precondition(records.count + needed < Int(NameTable.gap), "more names than are ever remembered")
        if (count + gapCount + 1) * 4 > slots.count * 3 || gapBytes * 2 > records.count {
            rebuild(for: 1) { _ in true }
        }
        // By a quarter, where an array would grow to twice its size.
        if records.capacity < records.count + needed {
            records.reserveCapacity(records.count + max(needed, records.count / 4, 64))
        }
    }

    /// Without gaps, and with slots for `more` names; afterwards some more fit in before it is due again.
    private mutating func rebuild(for more: Int, keeping stays: (Value) -> Bool) {
        let old = records
        let positions = slots.filter { $0 != 0 && $0 != NameTable.gap }.map { Int($0 - 1) }.sorted()
            .filter { stays(value(at: $0)) }
        var slotCount = 8
        while slotCount * 5 < (positions.count + more) * 8 { slotCount *= 2 }
        slots = Array(repeating: 0, count: slotCount)
        records = []
        (count, gapCount, gapBytes) = (positions.count, 0, 0)
        records.reserveCapacity(old.count)
        old.withUnsafeBytes { old in
            for position in positions {
                let start = position + NameTable.headBytes
                let end = start + Int(old[start - 1])
                insert(records.count, hash: NameTable.hash(UnsafeRawBufferPointer(rebasing: old[start..<end])))
                records.append(contentsOf: old[position..<end])
            }
        }
    }
}
