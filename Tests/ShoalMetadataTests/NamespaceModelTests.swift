import Foundation
import ShoalKeyValue
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata
import ShoalTestSupport

/// Random operations on the namespace and on the model: every answer, errno, listing and attribute must agree.
@Suite("Namespace against its model")
struct NamespaceModelTests {
    @Test("the namespace agrees with the model, over restarts and with a cache that is too small")
    func inMemory() throws {
        var comparison = try NamespaceComparison(NamespaceFixture(), seed: testSeed("namespace model"))
        try comparison.run(operations: 20_000)
    }

    @Test("the namespace agrees with the model when everything is cached")
    func cached() throws {
        var comparison = try NamespaceComparison(
            NamespaceFixture(limits: .production), seed: testSeed("namespace model") &+ 1)
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
        var comparison = try NamespaceComparison(shoal, seed: testSeed("namespace model") &+ 2)
        try comparison.run(operations: 5_000)
        shoal.store.close()
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
