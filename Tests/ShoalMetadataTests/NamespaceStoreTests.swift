import ShoalKeyValue
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Namespace store")
struct NamespaceStoreTests {
    @Test("an unformatted store is refused, a formatted one knows its cluster")
    func format() throws {
        let store = InMemoryStore()
        #expect(try !Namespace.isFormatted(store))
        #expect(throws: MetadataError.self) { try Namespace(store: store) }
        try Namespace.format(store, cluster: ClusterID(5), uid: 3, gid: 4, now: Timestamp(seconds: 1))
        #expect(try Namespace.isFormatted(store))
        let namespace = try Namespace(store: store)
        #expect(namespace.cluster == ClusterID(5))
        let root = try namespace.begin().existing(.root).attributes
        #expect((root.permissions, root.uid, root.gid, root.linkCount) == (0o755, 3, 4, 2))
        #expect(try namespace.countRestart() == 1)
        #expect(try Namespace(store: store).countRestart() == 2)
        try namespace.checkInvariants()
    }

    @Test("a record of an unknown format is corruption, not zeros")
    func unknownFormat() throws {
        let shoal = try NamespaceFixture()
        let file = try shoal.create("f")
        var bytes = try #require(try shoal.store.get(Keys.inode(file)))
        bytes[0] = 9
        var batch = WriteBatch()
        batch.put(Keys.inode(file), bytes)
        try shoal.store.commit(batch, sync: false)
        try shoal.restart()
        #expect(throws: MetadataError.corrupt("InodeRecord of unknown format 9")) { try shoal.attributes(file) }
    }

    @Test("numbers are never given out twice, whether the process ends or the power fails")
    func identifiers() throws {
        let store = SyncCountingStore()
        let shoal = try NamespaceFixture(store)
        var inodes: Set<InodeID> = [.root]
        var data: Set<DataID> = []
        var sessions: Set<SessionID> = []
        for round in 0..<30 {
            for index in 0..<(round % 7) {
                let inode = try shoal.create("f\(round).\(index)")
                #expect(inodes.insert(inode).inserted)
                #expect(data.insert(try shoal.attributes(inode).data).inserted)
                let session = try shoal.commit { transaction in
                    let session = shoal.namespace.allocateSession(transaction)
                    transaction.put(Keys.session(session), [])
                    return session
                }
                #expect(sessions.insert(session).inserted)
                #expect(store.ceiling.inode > inode.rawValue)
                #expect(store.ceiling.data > data.max()?.rawValue ?? 0)
                #expect(store.ceiling.session > sessions.max()?.rawValue ?? 0)
            }
            try shoal.restart()
        }
    }

    @Test("a dropped transaction leaves no trace, and the numbers it took are still reserved before they are used")
    func dropped() throws {
        let shoal = try NamespaceFixture()
        for _ in 0..<10 {
            var transaction = shoal.namespace.begin()
            var request = CreateRequest()
            request.parent = .root
            request.name = try FileName("x".utf8)
            _ = try CreateNode(request).execute(&transaction, shoal.context)
            _ = consume transaction
        }
        #expect(try shoal.names().isEmpty)
        let file = try shoal.create("x")
        #expect(file.rawValue > 10)
        try shoal.restart()
        #expect(try shoal.create("y") > file)
    }

    @Test("keys sort by their numbers, and a range covers exactly its prefix")
    func keys() {
        let numbers: [UInt64] = [0, 1, 255, 256, 65_535, 1 << 32, .max - 1, .max]
        let keys = numbers.map { Keys.cookie(InodeID(7), $0) }
        for (lower, upper) in zip(keys, keys.dropFirst()) { #expect(lower.lexicographicallyPrecedes(upper)) }
        for parent in numbers {
            let range = Keys.range(.cookie, parent)
            for key in [Keys.cookie(InodeID(parent), 0), Keys.cookie(InodeID(parent), .max)] {
                #expect(!key.lexicographicallyPrecedes(range.lower))
                #expect(key.lexicographicallyPrecedes(range.upper))
            }
        }
        let prefixes = Keys.Prefix.allCases.map(\.rawValue)
        #expect(Set(prefixes).count == prefixes.count)
        Keys.upload(SessionID(3), DataID(9)).withUnsafeBytes { key in
            #expect(Keys.field(key, at: 1) == 3)
            #expect(Keys.field(key, at: 9) == 9)
            #expect(Keys.field(key, at: 10) == 0)
        }
    }

    @Test("the table forgets the least recently used entry, and never holds more than it may")
    func cacheBound() {
        var table = LeastRecentlyUsedTable<Int, Int>(countMax: 3)
        for key in 1...3 { table.set(key, key * 10) }
        #expect(table.value(1) == 10)
        table.set(4, 40)
        #expect(table.value(2) == nil)
        #expect(table.count == 3)
        table.remove(3)
        table.set(5, 50)
        table.set(1, 11)
        #expect([1, 3, 4, 5].map { table.value($0) } == [11, nil, 40, 50])
    }
}

/// Remembers the identifiers that a synced commit reserved last: what is left after a loss of power.
private final class SyncCountingStore: KeyValueStore, @unchecked Sendable {
    // One test, one thread.
    private let inner = InMemoryStore()
    private(set) var ceiling = Identifiers()

    func get(_ key: [UInt8]) throws(KeyValueError) -> [UInt8]? { try inner.get(key) }
    func scan(
        from lower: [UInt8], to upper: [UInt8], _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
    ) throws(KeyValueError) { try inner.scan(from: lower, to: upper, body) }
    func commit(_ batch: WriteBatch, sync: Bool) throws(KeyValueError) {
        for case .put(Keys.identifiers, let value) in batch.changes where sync {
            do { ceiling = try Identifiers(stored: value) } catch { throw .corrupt("\(error)") }
        }
        try inner.commit(batch, sync: sync)
    }
    func sync() throws(KeyValueError) { try inner.sync() }
    func close() { inner.close() }
}
