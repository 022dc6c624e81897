import Foundation
import ShoalKeyValue
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

/// Random operations on the namespace and on the model: every answer, errno, listing and attribute must agree.
@Suite("Namespace against its model")
struct NamespaceModelTests {
    @Test("the namespace agrees with the model, over restarts and with a cache that is too small")
    func inMemory() throws {
        var comparison = try NamespaceComparison(NamespaceFixture(), seed: testSeed())
        try comparison.run(operations: 20_000)
    }

    @Test("the namespace agrees with the model when everything is cached")
    func cached() throws {
        var comparison = try NamespaceComparison(NamespaceFixture(limits: .production), seed: testSeed() &+ 1)
        try comparison.run(operations: 20_000)
    }

    @Test("the namespace agrees with the model on RocksDB, over restarts of the database too")
    func onRocksDB() throws {
        let directory = try TemporaryDirectory()
        let shoal = try NamespaceFixture(try RocksDBStore(directory: directory.path + "/db"))
        shoal.reopen = { old in
            old.close()
            return try RocksDBStore(directory: directory.path + "/db")
        }
        var comparison = try NamespaceComparison(shoal, seed: testSeed() &+ 2)
        try comparison.run(operations: 5_000)
        shoal.store.close()
    }
}

/// `SHOAL_TEST_SEED` if set, else a fresh one; printed, so that a failure can be repeated.
func testSeed() -> UInt64 {
    let given = ProcessInfo.processInfo.environment["SHOAL_TEST_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0...UInt64.max)
    print("SHOAL_TEST_SEED=\(seed)")
    return seed
}

/// SplitMix64 (Steele et al. 2014).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// A directory that goes with the object.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("shoal-namespace-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit {
        do { try FileManager.default.removeItem(atPath: path) } catch { print("\(path) stays behind: \(error)") }
    }
}
