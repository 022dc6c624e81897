import ShoalSimulation
import Glibc
import ShoalKeyValue
import Synchronization
import Testing
import ShoalTestSupport

/// One engine and, where it keeps anything, how to open it again.
enum Engine: CaseIterable, Sendable {
    case inMemory
    case rocksDB

    func open(_ directory: String) throws -> any KeyValueStore {
        switch self {
        case .inMemory: InMemoryStore()
        case .rocksDB: try RocksDBStore(directory: directory)
        }
    }
}

/// A directory under /tmp that goes with the object.
final class TemporaryDirectory {
    let path: String
    init() {
        var template = Array("/tmp/shoal-chunkstore-test-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }
    deinit { _ = runShell("rm -rf '\(path)'") }
}

func runShell(_ command: String) -> Bool { system(command) == 0 }

@Suite("Key-value stores")
struct ConformanceTests {
    private func contents(_ store: any KeyValueStore, from lower: [UInt8] = [], to upper: [UInt8] = [255, 255])
        throws -> [[UInt8]: [UInt8]]
    {
        var found: [[UInt8]: [UInt8]] = [:]
        var last: [UInt8]?
        try store.scan(from: lower, to: upper) { key, value in
            let key = Array(key)
            if let last { #expect(last.lexicographicallyPrecedes(key), "keys ascend") }
            last = key
            found[key] = Array(value)
            return true
        }
        return found
    }

    @Test("random batches, gets and scans agree with a dictionary", arguments: Engine.allCases, seeds(4))
    func agreesWithModel(engine: Engine, seed: UInt64) throws {
        let directory = TemporaryDirectory()
        let store = try engine.open(directory.path)
        defer { store.close() }
        var random = SeededGenerator(seed: seed)
        var model: [[UInt8]: [UInt8]] = [:]
        func key() -> [UInt8] {
            (0..<Int.random(in: 1...3, using: &random)).map { _ in
                [0, 1, 2, 127, 128, 254].randomElement(using: &random)!
            }
        }
        for round in 0..<300 {
            var batch = WriteBatch()
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let key = key()
                if Bool.random(using: &random) {
                    let value = [UInt8](repeating: UInt8(round % 256), count: Int.random(in: 0...5000, using: &random))
                    batch.put(key, value)
                    model[key] = value
                } else {
                    batch.delete(key)
                    model[key] = nil
                }
            }
            try store.commit(batch, sync: round % 50 == 0)
            let probe = key()
            try #require(try store.get(probe) == model[probe], "seed \(seed)")
            if round % 20 == 0 {
                let (lower, upper) = (key(), key())
                let expected = model.filter {
                    !$0.key.lexicographicallyPrecedes(lower) && $0.key.lexicographicallyPrecedes(upper)
                }
                try #require(try contents(store, from: lower, to: upper) == expected, "seed \(seed)")
            }
        }
        try store.sync()
        try #require(try contents(store) == model, "seed \(seed)")
    }

    @Test("thousands of keys in any order come out sorted, and go again", arguments: Engine.allCases)
    func manyKeys(engine: Engine) throws {
        let directory = TemporaryDirectory()
        let store = try engine.open(directory.path)
        defer { store.close() }
        var random = SeededGenerator(seed: 1)
        let keys = (0..<3000).map { [UInt8($0 / 256), UInt8($0 % 256)] }
        for key in keys.shuffled(using: &random) {
            var batch = WriteBatch()
            batch.put(key, key)
            try store.commit(batch, sync: false)
        }
        #expect(try contents(store).count == 3000)
        for key in keys.shuffled(using: &random).prefix(2990) {
            var batch = WriteBatch()
            batch.delete(key)
            try store.commit(batch, sync: false)
        }
        #expect(try contents(store).count == 10)
    }

    @Test("a scan stops when its body says so", arguments: Engine.allCases)
    func scanStops(engine: Engine) throws {
        let directory = TemporaryDirectory()
        let store = try engine.open(directory.path)
        defer { store.close() }
        var batch = WriteBatch()
        for key in 0..<10 { batch.put([UInt8(key)], []) }
        try store.commit(batch, sync: false)
        var seen = 0
        try store.scan(from: [3], to: [9]) { _, _ in
            seen += 1
            return seen < 2
        }
        #expect(seen == 2)
    }

    @Test("later changes of a batch win, and an empty value is a value", arguments: Engine.allCases)
    func batchOrder(engine: Engine) throws {
        let directory = TemporaryDirectory()
        let store = try engine.open(directory.path)
        defer { store.close() }
        var batch = WriteBatch()
        batch.put([1], [1])
        batch.put([1], [])
        batch.put([2], [2])
        batch.delete([2])
        try store.commit(batch, sync: true)
        #expect(try store.get([1]) == [])
        #expect(try store.get([2]) == nil)
    }

    @Test("RocksDB keeps what was committed across a reopening, closed or not")
    func persists() throws {
        let directory = TemporaryDirectory()
        var model: [[UInt8]: [UInt8]] = [:]
        for round in 0..<4 {
            let store = try RocksDBStore(directory: directory.path, options: .chunkIndex)
            #expect(try contents(store) == model)
            for key in 0..<50 {
                var batch = WriteBatch()
                let value = [UInt8](repeating: UInt8(round), count: key * 100)
                batch.put([UInt8(key), UInt8(round)], value)
                model[[UInt8(key), UInt8(round)]] = value
                try store.commit(batch, sync: false)
            }
            store.close()
        }
    }

    @Test("a directory that is open is locked, and one that is damaged is corrupt")
    func refusals() throws {
        let directory = TemporaryDirectory()
        let store = try RocksDBStore(directory: directory.path)
        let second = #expect(throws: KeyValueError.self) { try RocksDBStore(directory: directory.path) }
        guard case .locked = second else {
            Issue.record("not .locked: \(String(describing: second))")
            return
        }
        store.close()
        let current = try #require(fopen("\(directory.path)/CURRENT", "w"))
        fputs("MANIFEST-garbage", current)
        fclose(current)
        let third = #expect(throws: KeyValueError.self) { try RocksDBStore(directory: directory.path) }
        guard case .corrupt = third else {
            Issue.record("not .corrupt: \(String(describing: third))")
            return
        }
    }

    @Test("a torn tail of the log is dropped, what came before it stays")
    func tornLog() throws {
        let directory = TemporaryDirectory()
        let store = try RocksDBStore(directory: directory.path)
        for key in 0..<100 {
            var batch = WriteBatch()
            batch.put([UInt8(key)], [UInt8](repeating: UInt8(key), count: 100))
            try store.commit(batch, sync: false)
        }
        // What a crash leaves: a copy of the log as it is now, cut in the middle of the last record.
        let copy = TemporaryDirectory()
        let command = "cp -r \(directory.path)/. \(copy.path)/ && truncate -s -50 \(copy.path)/*.log"
        try #require(runShell(command))
        store.close()
        let torn = try RocksDBStore(directory: copy.path)
        defer { torn.close() }
        #expect(try contents(torn).count == 99)
    }
}
