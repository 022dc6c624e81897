import ShoalTypes

/// Every extended attribute of an inode, as a mount caches them under its lease: what is not in here does not exist.
/// Values that the server's listing left out for their length are asked for each time.
struct ExtendedAttributeSet {
    /// Ascending by name.
    let entries: [ExtendedAttribute]
    /// About what it takes in memory.
    let bytes: Int
    static let empty = ExtendedAttributeSet([])

    init(_ entries: [ExtendedAttribute]) {
        self.entries = entries
        bytes = entries.reduce(0) { $0 + 96 + $1.name.bytes.count + ($1.value?.count ?? 0) }
    }

    func contains(_ name: ExtendedAttributeName) -> Bool { entries.contains { $0.name == name } }

    enum Answer {
        case absent
        case value([UInt8])
        /// It exists; only the server has its value.
        case long
    }

    subscript(name: ExtendedAttributeName) -> Answer {
        guard let entry = entries.first(where: { $0.name == name }) else { return .absent }
        return entry.value.map { .value($0) } ?? .long
    }
}
