/// An ordered map from byte strings to byte strings; keys compare as unsigned bytes. Safe from any thread.
///
/// This is all that the metadata service and the chunk index ask of an engine: RocksDB in production, `InMemoryStore`
/// in tests and simulation. Both run the same conformance suite.
package protocol KeyValueStore: AnyObject, Sendable {
    func get(_ key: [UInt8]) throws(KeyValueError) -> [UInt8]?
    /// Entries with `lower <= key < upper` in ascending order, until `body` returns false. `body` must not write.
    func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(KeyValueError)
    /// Applies the whole batch or none of it. It survives the end of the process when this returns; the loss of power
    /// if `sync` is true, or after the next `sync()`.
    func commit(_ batch: WriteBatch, sync: Bool) throws(KeyValueError)
    /// Returns when everything committed before survives the loss of power.
    func sync() throws(KeyValueError)
    func close()
}

package struct WriteBatch: Sendable {
    package enum Change: Sendable {
        case put(key: [UInt8], value: [UInt8])
        case delete(key: [UInt8])
    }
    package private(set) var changes: [Change] = []
    package init() {}
    package mutating func put(_ key: [UInt8], _ value: [UInt8]) { changes.append(.put(key: key, value: value)) }
    package mutating func delete(_ key: [UInt8]) { changes.append(.delete(key: key)) }
    package var isEmpty: Bool { changes.isEmpty }
}

package enum KeyValueError: Error, Equatable, Sendable, CustomStringConvertible {
    /// Another process has the store open.
    case locked(String)
    case corrupt(String)
    case noSpace(String)
    case inputOutput(String)

    package var description: String {
        switch self {
        case .locked(let detail): "another process has it open (\(detail))"
        case .corrupt(let detail): "corrupt (\(detail))"
        case .noSpace(let detail): "no space left on the disk (\(detail))"
        case .inputOutput(let detail): detail
        }
    }
}
