import Logging
import ShoalMetadata
import ShoalRPC
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

/// A cluster in virtual time: the production core, node twins, and production clients.
final class Cluster {
    let scheduler = VirtualScheduler()
    let board: Switchboard
    let metadata: SimulatedMetadata
    var nodes: [NodeTwin] = []
    private(set) var networks: [String: MemoryNetwork] = [:]
    /// Longer than any operation may take.
    static let patience = Interval.seconds(150)

    init(
        seed: UInt64 = 1, nodes count: Int = 3, replicas: UInt8 = 2, limits: CoordinatorLimits = .production
    ) throws {
        board = Switchboard(scheduler: scheduler, seed: seed)
        metadata = try SimulatedMetadata(board: board, replicas: replicas, limits: limits)
        metadata.onFailure = { Issue.record("the metadata server failed: \($0)") }
        for number in 1...count {
            nodes.append(NodeTwin(address: "node:\(number)", board: board))
            scheduler.run(for: .milliseconds(5))
        }
        for node in nodes { node.source = { [unowned self] id in self.nodes.first { $0.id == id } } }
        let isReady = scheduler.run(for: .seconds(60)) { [metadata] in
            let map = metadata.core.map
            return map.nodes.count == count
                && map.partitions.allSatisfy { $0.inSync.count == min(count, Int(replicas)) }
        }
        #expect(isReady, "the nodes do not get in sync")
    }

    func client(_ name: String, limits: ClientLimits = .production) throws -> Client {
        let network = MemoryNetwork(board: board, owner: name)
        networks[name] = network
        var logger = Logger(label: name)
        logger.logLevel = .critical
        let client = Client(
            metadataAddress: SimulatedMetadata.address, role: .client, label: name, network: network,
            scheduler: scheduler,
            limits: limits, logger: logger)
        var result: Result<Void, ClientError>?
        client.open(deadline: .seconds(30)) { result = $0 }
        scheduler.run(for: .seconds(31)) { result != nil }
        try #require(result).get()
        return client
    }

    /// Lets time pass until `start` completes; an operation without an end fails the test.
    @discardableResult
    func wait<Value>(_ start: (@escaping Completion<Value>) -> Void) throws -> Value {
        var result: Result<Value, FileError>?
        start { result = $0 }
        scheduler.run(for: Cluster.patience) { result != nil }
        return try #require(result, "the operation does not end").get()
    }

    /// The nodes have room from now on, and the clients know.
    func makeRoom(for clients: [Client]) {
        for node in nodes {
            node.usage.bytesTotal = 100 << 30
            node.usage.bytesFree = 90 << 30
        }
        let isKnown = scheduler.run(for: .seconds(10)) { clients.allSatisfy { !$0.metadata.isSpaceLow } }
        #expect(isKnown, "nobody says that there is room")
    }

    // MARK: Calls

    func create(_ client: Client, _ name: String, opens: Bool = true) throws -> InodeID {
        var file = Client.NewFile(mode: FileKind.regular.rawValue | 0o644, uid: 0, gid: 0)
        file.opens = opens
        return try wait { client.create(.root, named(name), file, completion: $0) }.inode
    }

    func open(_ client: Client, _ id: InodeID, truncates: Bool = false) throws {
        _ = try wait { client.open(id, truncates: truncates, completion: $0) }
    }

    func write(_ client: Client, _ id: InodeID, _ place: Client.WritePlace, _ bytes: [UInt8]) throws {
        #expect(try written(client, id, place, bytes) == bytes.count)
    }

    /// How many of the bytes one write took.
    func written(_ client: Client, _ id: InodeID, _ place: Client.WritePlace, _ bytes: [UInt8]) throws -> Int {
        try wait { done in bytes.withUnsafeBytes { client.write(id, place, $0, completion: done) } }
    }

    func read(_ client: Client, _ id: InodeID, _ offset: UInt64 = 0, _ length: Int = 1 << 20) throws -> [UInt8] {
        try wait { done in
            client.read(id, offset: offset, length: length) { done($0.map { $0.flatMap { Array($0) } }) }
        }
    }

    func flush(_ client: Client, _ id: InodeID) throws { try wait { client.flush(id, completion: $0) } }
    func sync(_ client: Client, _ id: InodeID) throws { try wait { client.sync(id, completion: $0) } }

    func truncate(_ client: Client, _ id: InodeID, to size: UInt64) throws {
        var change = AttributeChange()
        change.size = size
        _ = try wait { client.setAttributes(of: id, change, completion: $0) }
    }

    func size(_ client: Client, _ id: InodeID) throws -> UInt64 {
        try wait { client.attributes(of: id, completion: $0) }.size
    }

    func lookup(_ client: Client, _ name: String) throws -> InodeID? {
        let found: FileAttributes? = try wait { client.lookup(.root, named(name), completion: $0) }
        return found?.inode
    }
}

func named(_ text: String) -> FileName {
    do { return try FileName(Array(text.utf8)) } catch { preconditionFailure("\(text) is no name") }
}

/// Bytes that differ from place to place and from seed to seed.
func pattern(_ count: Int, _ seed: UInt8) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 8) ^ seed }
}
func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

extension Result where Failure == FileError {
    var failure: FileError? { if case .failure(let error) = self { error } else { nil } }
}
