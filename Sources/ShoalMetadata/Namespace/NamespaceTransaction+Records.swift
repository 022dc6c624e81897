import ShoalKeyValue
import ShoalTypes

/// Any record by its key: the coordinator's sessions, replies, map and nodes go through here too.
extension NamespaceTransaction {
    package mutating func put(_ key: [UInt8], _ value: [UInt8]) { set(key, value) }
    package mutating func delete(_ key: [UInt8]) { set(key, nil) }

    package func get(_ key: [UInt8]) throws(MetadataError) -> [UInt8]? {
        if let change = rawChanges.first(where: { $0.key == key }) { return change.value }
        do { return try namespace.store.get(key) } catch { throw .store(error) }
    }

    package func record<Record: StoredRecord>(_ type: Record.Type, _ key: [UInt8]) throws(MetadataError) -> Record? {
        guard let bytes = try get(key) else { return nil }
        return try Record(stored: bytes)
    }

    /// Records with `lower <= key < upper` in ascending order, this transaction's changes included, until `body`
    /// returns false. Inodes and dentries are not seen: read those by their own functions.
    package func scan(
        from lower: [UInt8], to upper: [UInt8],
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(MetadataError) -> Bool
    ) throws(MetadataError) {
        var own = rawChanges.filter {
            !$0.key.lexicographicallyPrecedes(lower) && $0.key.lexicographicallyPrecedes(upper)
        }
        own.sort { $0.key.lexicographicallyPrecedes($1.key) }
        var position = 0
        var failure: MetadataError?
        var isWanted = true

        func show(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
            do { isWanted = try body(key, value) } catch {
                failure = error
                isWanted = false
            }
            return isWanted
        }
        func showOwn() -> Bool {
            defer { position += 1 }
            guard let value = own[position].value else { return true }
            return own[position].key.withUnsafeBytes { key in value.withUnsafeBytes { show(key, $0) } }
        }

        do {
            try namespace.store.scan(from: lower, to: upper) { key, value in
                while position < own.count, own[position].key.lexicographicallyPrecedes(key) {
                    if !showOwn() { return false }
                }
                if position < own.count, own[position].key.elementsEqual(key) { return showOwn() }
                return show(key, value)
            }
        } catch { throw .store(error) }
        while failure == nil, isWanted, position < own.count { _ = showOwn() }
        if let failure { throw failure }
    }

    /// Deletes every record with `lower <= key < upper`, in time that grows with their number alone.
    mutating func deleteAll(from lower: [UInt8], to upper: [UInt8]) throws(MetadataError) {
        var stored: [[UInt8]] = []
        try scan(from: lower, to: upper) { key, _ in
            stored.append([UInt8](key))
            return true
        }
        rawChanges.removeAll {
            !$0.key.lexicographicallyPrecedes(lower) && $0.key.lexicographicallyPrecedes(upper)
        }
        for key in stored { rawChanges.append(RawChange(key: key, value: nil)) }
    }

    private mutating func set(_ key: [UInt8], _ value: [UInt8]?) {
        if let index = rawChanges.firstIndex(where: { $0.key == key }) {
            rawChanges[index].value = value
        } else {
            rawChanges.append(RawChange(key: key, value: value))
        }
    }
}
