import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("What close waits for")
struct CloseTests {
    /// Requests, by operation, that clients have sent since this was made.
    private final class Requests {
        private(set) var seen: [Operation] = []
        private static let background: Set<Operation> = [.setAccessTimes, .heartbeat, .nodeHeartbeat]
        init(_ cluster: Cluster) {
            cluster.board.observe = { [unowned self] _, operation, _ in
                if !Requests.background.contains(operation) { seen.append(operation) }
            }
        }
        func count(_ operation: Operation) -> Int { seen.count { $0 == operation } }
    }

    private func makeClosed(_ cluster: Cluster, _ client: Client, _ name: String, _ bytes: [UInt8]) throws -> InodeID {
        let file = try cluster.create(client, name)
        try cluster.write(client, file, .at(0), bytes)
        try cluster.flush(client, file)
        try cluster.wait { client.release(file, completion: $0) }
        return file
    }

    /// The first request to a node may be sent twice; here only the others are counted.
    private func connect(_ cluster: Cluster, _ client: Client) throws {
        let file = try cluster.create(client, "big")
        for part in 0..<40 { try cluster.write(client, file, .at(UInt64(part) << 22), pattern(4096, 1)) }
        try cluster.sync(client, file)
    }

    @Test("create, write, close is one round trip; the bytes, the size and the lease follow, each in one")
    func smallFile() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        cluster.makeRoom(for: [a])
        let requests = Requests(cluster)
        let file = try makeClosed(cluster, a, "f", pattern(4096, 1))
        #expect(requests.seen == [.create])
        // Nobody waits for the bytes to be on the nodes, and nobody misses them.
        #expect(try cluster.read(b, file) == pattern(4096, 1))
        let quiet = Requests(cluster)
        _ = try makeClosed(cluster, a, "g", pattern(4096, 1))
        cluster.scheduler.run(for: .seconds(1))
        #expect(quiet.seen == [.create, .writeChunk, .writeChunk, .commitWrites, .releaseLeases])
        #expect(a.cache.dirtyBytes == 0)
    }

    @Test("A file that is removed soon after its close never reaches the nodes")
    func temporaryFile() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        cluster.makeRoom(for: [a])
        let requests = Requests(cluster)
        _ = try makeClosed(cluster, a, "f", pattern(4096, 1))
        try cluster.wait { a.unlink(.root, named("f"), completion: $0) }
        cluster.scheduler.run(for: .seconds(1))
        #expect(requests.count(.writeChunk) == 0)
        #expect(requests.count(.commitWrites) == 0)
        #expect(a.cache.dirtyBytes == 0)
    }

    @Test("The sizes of many files share messages, and bounds on what is under way hold")
    func manyFiles() throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.flushBytesInFlightMax = 64 << 10
        let (a, b) = (try cluster.client("a", limits: limits), try cluster.client("b"))
        cluster.makeRoom(for: [a])
        var files: [InodeID] = []
        try connect(cluster, a)
        let requests = Requests(cluster)
        for number in 0..<200 { files.append(try makeClosed(cluster, a, "f\(number)", pattern(4096, UInt8(number)))) }
        cluster.board.delay = 2000...2000
        var mostInFlight = 0
        cluster.scheduler.run(for: .seconds(2)) {
            mostInFlight = max(mostInFlight, a.flushBytesInFlight)
            return false
        }
        #expect(mostInFlight <= limits.flushBytesInFlightMax)
        #expect(a.cache.dirtyBytes == 0)
        #expect(requests.count(.writeChunk) == 400)
        #expect(requests.count(.commitWrites) < 50)
        for (number, file) in files.enumerated() {
            #expect(try cluster.read(b, file) == pattern(4096, UInt8(number)))
        }
    }

    @Test("Closing the client writes back what was closed just before")
    func goodbye() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        cluster.makeRoom(for: [a])
        let file = try makeClosed(cluster, a, "f", pattern(9000, 1))
        try cluster.wait { a.close(completion: $0) }
        #expect(try cluster.read(b, file) == pattern(9000, 1))
    }

    @Test("While space is low, close waits and reports that the bytes did not fit")
    func lowSpace() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        cluster.makeRoom(for: [a])
        cluster.nodes[1].usage.bytesFree = 1 << 30
        #expect(cluster.scheduler.run(for: .seconds(10)) { a.metadata.isSpaceLow })
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(4096, 1))
        for node in cluster.nodes { node.writeStatus = .failed(.noSpace) }
        #expect(throws: FileError.noSpace) { try cluster.flush(a, file) }
    }

    @Test(
        "After a failure that came too late for its close, the next closes wait, and the file says so when it is opened"
    )
    func lateFailure() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        cluster.makeRoom(for: [a])
        for node in cluster.nodes { node.writeStatus = .failed(.noSpace) }
        let file = try makeClosed(cluster, a, "f", pattern(4096, 1))
        cluster.scheduler.run(for: .seconds(1))
        let other = try cluster.create(a, "g")
        try cluster.write(a, other, .at(0), pattern(4096, 2))
        #expect(throws: FileError.noSpace) { try cluster.flush(a, other) }
        for node in cluster.nodes { node.writeStatus = nil }
        try cluster.sync(a, other)
        // The first file's bytes were given up: it does not hold memory for ever.
        #expect(a.cache.dirtyBytes == 0)
        #expect(try cluster.size(a, file) == 0)
        try cluster.open(a, file)
        #expect(throws: FileError.noSpace) { try cluster.flush(a, file) }
        try cluster.flush(a, file)
        cluster.scheduler.run(for: .seconds(60))
        let requests = Requests(cluster)
        _ = try makeClosed(cluster, a, "h", pattern(4096, 3))
        #expect(requests.seen == [.create])
    }

    @Test("A new version renamed over the old one is on the nodes before the old one goes")
    func replaceByRename() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        cluster.makeRoom(for: [a])
        try connect(cluster, a)
        _ = try makeClosed(cluster, a, "old", pattern(5000, 1))
        let new = try makeClosed(cluster, a, "new", pattern(6000, 2))
        let requests = Requests(cluster)
        try cluster.wait { a.rename(.root, named("new"), to: .root, named("old"), .replace, completion: $0) }
        #expect(requests.seen == [.writeChunk, .writeChunk, .commitWrites, .rename])
        // The machine is gone at once.
        cluster.networks["a"]?.unreachable = Set([SimulatedMetadata.address] + cluster.nodes.map(\.address))
        cluster.scheduler.run(for: .seconds(20))
        #expect(try cluster.lookup(b, "old") == new)
        #expect(try cluster.read(b, new) == pattern(6000, 2))
    }

    @Test(
        "A file that was written back and closed is left to readers: who looks at it elsewhere is answered by the server alone"
    )
    func leftToReaders() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        cluster.makeRoom(for: [a, b])
        let files = try (0..<5).map { number in
            let file = try cluster.create(a, "f\(number)")
            if number > 0 { try cluster.write(a, file, .at(0), pattern(5000, 1)) }
            try cluster.flush(a, file)
            if number < 4 { try cluster.wait { a.release(file, completion: $0) } }
            return file
        }
        cluster.scheduler.run(for: .seconds(1))
        #expect(files.map { a.usableLease($0).mode } == [.read, .read, .read, .read, .write])
        #expect(cluster.metadata.requestCounts[.releaseLeases, default: 0] <= 2)
        // Nobody answers for a.
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        let begin = cluster.scheduler.now
        for (number, file) in files.dropLast().enumerated() {
            #expect(try cluster.lookup(b, "f\(number)") == file)
            #expect(try cluster.size(b, file) == (number > 0 ? 5000 : 0))
        }
        #expect(cluster.scheduler.now - begin < .milliseconds(100))
        cluster.networks["a"]?.unreachable = []
        // And the writer may write again.
        try cluster.open(a, files[1])
        try cluster.write(a, files[1], .at(5000), pattern(1, 2))
        #expect(try cluster.size(b, files[1]) == 5001)
    }
}
