import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Failures of nodes, sessions and the metadata server")
struct FailureTests {
    @Test("ENOSPC of the nodes is reported at the next write and flush, and the bytes are kept")
    func noSpace() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(9000, 1))
        for node in cluster.nodes { node.writeStatus = .failed(.noSpace) }
        #expect(throws: FileError.noSpace) { try cluster.sync(a, file) }
        #expect(throws: FileError.noSpace) { try cluster.write(a, file, .at(9000), [1]) }
        #expect(try cluster.read(a, file) == pattern(9000, 1))
        for node in cluster.nodes { node.writeStatus = nil }
        try cluster.sync(a, file)
        #expect(try cluster.read(b, file) == pattern(9000, 1))
    }

    @Test("Bytes that a recall could not write back are reported by the next fsync")
    func recallWithoutSpace() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(9000, 1))
        for node in cluster.nodes { node.writeStatus = .failed(.noSpace) }
        _ = try cluster.read(b, file)
        #expect(throws: FileError.inputOutput) { try cluster.sync(a, file) }
    }

    @Test("A writer past the dirty limit is not left waiting when another file's bytes cannot be written")
    func dirtyLimit() throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.dirtyBytesMax = 256 << 10
        let a = try cluster.client("a", limits: limits)
        let first = try cluster.create(a, "f")
        let second = try cluster.create(a, "g")
        for node in cluster.nodes { node.writeStatus = .failed(.inputOutput) }
        try cluster.write(a, first, .at(0), pattern(300_000, 1))
        cluster.scheduler.run(for: .seconds(1))
        for node in cluster.nodes { node.writeStatus = nil }
        try cluster.write(a, second, .at(0), pattern(300_000, 2))
        try cluster.write(a, second, .at(300_000), pattern(300_000, 3))
        try cluster.sync(a, second)
    }

    @Test("A node that goes down during writes and reads is done without", arguments: [0, 1, 2])
    func nodeDown(index: Int) throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(1 << 20, 1))
        cluster.nodes[index].goDown()
        try cluster.sync(a, file)
        try cluster.write(a, file, .at(5 << 20), pattern(1 << 20, 2))
        #expect(try cluster.read(b, file) == pattern(1 << 20, 1))
        cluster.nodes[index].comeUp()
        cluster.scheduler.run(for: .seconds(10))
        cluster.nodes[(index + 1) % 3].goDown()
        #expect(try cluster.read(b, file, 5 << 20) == pattern(1 << 20, 2))
        #expect(try cluster.read(a, file) == pattern(1 << 20, 1))
    }

    @Test("A silent node is reported, and the write completes on the others")
    func silentNode() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let file = try cluster.create(a, "f")
        cluster.nodes[0].isStalled = true
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        let start = cluster.scheduler.now
        try cluster.sync(a, file)
        #expect(cluster.scheduler.now - start < .seconds(45))
    }

    @Test("Bytes that do not match their checksums are read from another replica, and the node is told")
    func rot() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(3 << 20, 1))
        try cluster.sync(a, file)
        cluster.nodes[0].isRotten = true
        #expect(try cluster.read(b, file, 0, 1 << 20) == Array(pattern(3 << 20, 1)[..<(1 << 20)]))
        #expect(try cluster.read(b, file, 2 << 20, 1 << 20) == Array(pattern(3 << 20, 1)[(2 << 20)...]))
    }

    @Test("An expired session drops its caches, reports EIO, and sends none of its writes in the next session")
    func expiry() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        try cluster.sync(a, file)
        try cluster.write(a, file, .at(0), pattern(5000, 2))
        let old = a.session
        for node in cluster.nodes { node.isStalled = true }
        cluster.scheduler.run(for: .seconds(1))
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        var writers: Set<SessionID> = []
        cluster.board.observe = { _, operation, message in
            guard operation == .writeChunk else { return }
            do { writers.insert(try WriteChunkRequest(decoding: message).session) } catch { Issue.record("\(error)") }
        }
        cluster.scheduler.run(for: .seconds(12))
        for node in cluster.nodes { node.isStalled = false }
        try cluster.write(b, file, .at(0), pattern(5000, 3))
        try cluster.sync(b, file)
        cluster.networks["a"]?.unreachable = []
        #expect(throws: FileError.inputOutput) { try cluster.sync(a, file) }
        #expect(a.session != old)
        #expect(!writers.contains(a.session))
        #expect(try cluster.read(a, file) == pattern(5000, 3))
        #expect(try cluster.read(b, file) == pattern(5000, 3))
    }

    @Test("A restarted metadata server is given the leases back, and nothing is lost")
    func restart() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        let session = a.session
        cluster.metadata.restart(after: .seconds(1))
        cluster.scheduler.run(for: .milliseconds(100))
        try cluster.write(a, file, .at(5000), pattern(5000, 2))
        #expect(try cluster.read(b, file) == pattern(5000, 1) + pattern(5000, 2))
        #expect(a.session == session)
    }

    @Test("What a dead writer left past the end is cut off before the next writer extends the file")
    func uncleanTail() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        try cluster.sync(a, file)
        // The bytes reach the nodes; the size never reaches the server.
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        try cluster.write(a, file, .at(5000), pattern(300_000, 2))
        cluster.scheduler.run(for: .seconds(14))
        var pending = 2
        let late = pattern(1000, 4)
        late.withUnsafeBytes { b.write(file, .at(200_000), $0) { _ in pending -= 1 } }
        cluster.scheduler.run(for: .milliseconds(1))
        late.withUnsafeBytes { b.write(file, .at(250_000), $0) { _ in pending -= 1 } }
        #expect(cluster.scheduler.run(for: .seconds(60)) { pending == 0 })
        try cluster.sync(b, file)
        let c = try cluster.client("c")
        let expected = pattern(5000, 1) + zeros(195_000) + late + zeros(49_000) + late
        #expect(try cluster.read(c, file) == expected)
    }

    @Test("When one replica is corrupt and the other not ready yet, a read waits for the other")
    func corruptAndNotReady() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(9000, 1))
        try cluster.sync(a, file)
        let data = try #require(a.inodes.existing(file)).attributes.data
        let replicas = a.map[a.map.partition(of: ChunkID(data: data, index: 0))].inSync
        let holders = cluster.nodes.filter { replicas.contains($0.id) }
        try #require(holders.count == 2)
        holders[0].isRotten = true
        holders[1].readStatus = .notReady
        var result: Result<Int, FileError>?
        b.read(file, offset: 0, length: 9000) { result = $0.map { $0.reduce(0) { $0 + $1.count } } }
        cluster.scheduler.run(for: .seconds(2))
        #expect(result == nil)
        holders[1].readStatus = nil
        #expect(cluster.scheduler.run(for: .seconds(5)) { result != nil })
        #expect(try cluster.read(b, file) == pattern(9000, 1))
        holders[1].isRotten = true
        let c = try cluster.client("c")
        #expect(throws: FileError.inputOutput) { _ = try cluster.read(c, file) }
    }
}
