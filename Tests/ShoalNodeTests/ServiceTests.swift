import Glibc
import ShoalNode
import ShoalTransport
import ShoalTypes
import ShoalWire
import Testing

@Suite("The node service", .serialized)
struct ServiceTests {
    private let loopback = HostPort(host: "127.0.0.1", port: 0)
    private let chunk = ChunkID(data: DataID(1), index: 0)
    private let block = [UInt8](repeating: 9, count: 4096)

    @Test("A request that names a newer map is served once the node has fetched it")
    func newerEpoch() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let map = cluster.metadata.update(publish: false) { Array($0.partitions.indices) }
        #expect(client.write(chunk, block, epoch: map.epoch, version: 1, to: try cluster.address(NodeID(1))) == .ok)
        let old = Epoch(map.epoch.rawValue - 1)
        #expect(client.write(chunk, block, epoch: old, version: 2, to: try cluster.address(NodeID(1))) == .staleEpoch)
    }

    @Test("A request that names a map which cannot be had is answered notReady in bounded time")
    func unknownEpoch() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        cluster.metadata.mute()
        let status = client.write(chunk, block, epoch: Epoch(999), version: 1, to: try cluster.address(NodeID(1)))
        #expect(status == .notReady)
    }

    @Test("A node that has not registered serves nothing")
    func notRegistered() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        cluster.drop(0)
        let node = try cluster.makeNode(0)
        defer { node.terminate() }
        let epoch = cluster.metadata.currentMap.epoch
        #expect(client.write(chunk, block, epoch: epoch, version: 1, to: node.address) == .notReady)
        #expect(client.read(chunk, length: 4096, epoch: epoch, from: node.address).status == .notReady)
    }

    @Test("Peers of another cluster are turned away at the door")
    func otherCluster() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let stranger = TestClient(cluster: ClusterID(0xBAD))
        defer { stranger.stop() }
        #expect(stranger.refusal(by: try cluster.address(NodeID(1))) == .wrongCluster)
    }

    @Test("A directory of another cluster, a corrupt identity, a directory or port in use: each is one clear error")
    func startErrors() throws {
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        #expect(throws: NodeError.self) { try cluster.makeNode(0) }
        func message(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return ""
        }
        #expect(
            message { _ = try cluster.makeNode(0) } == "directory \(cluster.directory(0)) is in use by another process")
        let taken = try cluster.address(NodeID(1))
        let portInUse = message {
            _ = try NodeService(
                directory: cluster.directory(5), listen: taken, metadata: cluster.metadata.address, limits: .test,
                logger: quiet)
        }
        #expect(portInUse == "\(taken): the port is in use")

        cluster.drop(0)
        let path = "\(cluster.directory(0))/identity"
        try NodeDirectory(path: cluster.directory(0)).writeIdentity(
            NodeIdentity(cluster: ClusterID(0xBAD), node: NodeID(1)))
        #expect(message { try cluster.restart(0) }.contains("belongs to cluster 0000000000000bad"))

        let descriptor = open(path, O_WRONLY)
        var byte: UInt8 = 0x20
        #expect(pwrite(descriptor, &byte, 1, 30) == 1)
        close(descriptor)
        #expect(message { try cluster.restart(0) } == "identity file \(path) is corrupt: wrong checksum")
    }

    @Test("A start without a metadata server ends with an error in bounded time")
    func unreachableMetadata() throws {
        let root = try makeTemporaryDirectory()
        defer { removeTree(root) }
        var limits = NodeLimits.test
        limits.registrationWait = .milliseconds(300)
        let node = try NodeService(
            directory: root, listen: loopback, metadata: HostPort(host: "127.0.0.1", port: 1), limits: limits,
            logger: quiet)
        do {
            try node.start()
            Issue.record("started without a metadata server")
        } catch {
            #expect("\(error)" == "the metadata server at 127.0.0.1:1 does not answer")
        }
    }

    @Test("A full disk refuses writes with ENOSPC and goes on serving")
    func fullDisk() throws {
        let disk = FaultyDisk()
        let cluster = try TestCluster(nodes: 1, replicas: 1, disk: disk)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let address = try cluster.address(NodeID(1))
        let epoch = cluster.metadata.currentMap.epoch
        #expect(client.write(chunk, block, epoch: epoch, version: 1, to: address) == .ok)
        disk.fill()
        let large = [UInt8](repeating: 1, count: 1 << 20)
        var status = WireStatus.ok
        for index in 0..<40 where status == .ok {
            let chunk = ChunkID(data: DataID(2), index: UInt32(index))
            status = client.write(chunk, large, epoch: epoch, version: 1, to: address)
        }
        #expect(status == .failed(.noSpace))
        #expect(client.read(chunk, length: 4096, epoch: epoch, from: address).bytes == block)
        #expect(cluster.metadata.reports.isEmpty)
    }

    @Test("A failed sync fails the request; the node then takes no writes and reports itself")
    func failedSync() throws {
        let disk = FaultyDisk()
        let cluster = try TestCluster(nodes: 2, replicas: 2, disk: disk)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let map = cluster.metadata.currentMap
        let chunk = cluster.chunk(on: NodeID(1), map: map)
        let address = try cluster.address(NodeID(1))
        let large = [UInt8](repeating: 1, count: 1 << 20)
        #expect(client.write(chunk, large, epoch: map.epoch, version: 1, to: address) == .ok)
        disk.failSyncs()
        let sync = ChunkListRequest(epoch: map.epoch, chunks: [chunk])
        #expect(client.call(.syncChunks, sync, to: address).status == .failed(.inputOutput))
        let out = cluster.metadata.wait { map in map.partitions.allSatisfy { $0.state(of: NodeID(1)) == .stale } }
        #expect(cluster.metadata.reports == [NodeID(1)])
        let status = client.write(chunk, large, epoch: out.epoch, version: 2, to: address)
        #expect(status == .failed(.inputOutput))
    }

    @Test("Random bytes and broken frames on the port do no harm")
    func hostileBytes() throws {
        let seed = testSeed("hostileBytes")
        var random = SeededGenerator(seed: seed)
        let cluster = try TestCluster(nodes: 1, replicas: 1)
        defer { cluster.stop() }
        let address = try cluster.address(NodeID(1))
        for _ in 0..<20 {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var target = sockaddr_in()
            target.sin_family = sa_family_t(AF_INET)
            target.sin_port = address.port.bigEndian
            target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let connected = withUnsafePointer(to: &target) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            try #require(connected == 0)
            let bytes = random.bytes(256 << 10)
            _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
        let client = TestClient()
        defer { client.stop() }
        let epoch = cluster.metadata.currentMap.epoch
        // Messages that do not decode, and requests out of bounds.
        for operation in ShoalWire.Operation.allCases where operation != .hello {
            let garbage = RawMessage(bytes: random.bytes(Int.random(in: 1...200, using: &random)))
            #expect(client.call(operation, garbage, payload: block, to: address).status == .badRequest)
        }
        var unaligned = client.writeRequest(chunk, block, epoch: epoch, version: 1)
        unaligned.offset = 100
        #expect(client.call(.writeChunk, unaligned, payload: block, to: address).status == .badRequest)
        var outside = client.writeRequest(chunk, block, epoch: epoch, version: 1)
        outside.offset = 4 << 20
        #expect(client.call(.writeChunk, outside, payload: block, to: address).status == .badRequest)
        #expect(client.read(chunk, length: 100, epoch: epoch, from: address).status == .badRequest)
        #expect(client.write(chunk, block, epoch: epoch, version: 1, to: address) == .ok)
    }

    /// Bytes that are no message.
    private struct RawMessage: WireMessage {
        var bytes: [UInt8] = []
        init() {}
        init(bytes: [UInt8]) { self.bytes = bytes }
        mutating func code(_ coder: inout WireCoder) {
            for index in bytes.indices { coder.integer(&bytes[index]) }
        }
    }

    @Test("Chunks that the leader deletes are gone, and asking again does no harm")
    func deletion() throws {
        let cluster = try TestCluster(nodes: 2, replicas: 2)
        defer { cluster.stop() }
        let client = TestClient()
        defer { client.stop() }
        let map = cluster.metadata.currentMap
        for node in map[map.partition(of: chunk)].inSync {
            #expect(client.write(chunk, block, epoch: map.epoch, version: 1, to: try cluster.address(node)) == .ok)
        }
        #expect(cluster.metadata.delete([chunk]))
        #expect(cluster.metadata.delete([chunk]))
        for node in map[map.partition(of: chunk)].inSync {
            let read = client.read(chunk, length: 4096, epoch: map.epoch, from: try cluster.address(node))
            #expect(read.status == .ok && read.bytes.isEmpty)
        }
        // A file as a whole: 300 chunks in many partitions, and nothing of its neighbours.
        let (before, after) = (DataID(chunk.data.rawValue + 1), DataID(chunk.data.rawValue + 3))
        let whole = (0..<300).map { ChunkID(data: DataID(chunk.data.rawValue + 2), index: $0 * 7) }
        let kept = [ChunkID(data: before, index: .max), ChunkID(data: after, index: 0)]
        for written in whole + kept {
            for node in map[map.partition(of: written)].inSync {
                let address = try cluster.address(node)
                #expect(client.write(written, block, epoch: map.epoch, version: 1, to: address) == .ok)
            }
        }
        #expect(cluster.metadata.delete([ChunkID(data: whole[0].data, index: ChunkListRequest.everyIndex)]))
        for read in whole + kept {
            for node in map[map.partition(of: read)].inSync {
                let answer = client.read(read, length: 4096, epoch: map.epoch, from: try cluster.address(node))
                #expect(answer.status == .ok && answer.bytes.isEmpty == !kept.contains(read))
            }
        }
        // Only the leader may.
        let asked = client.call(
            .deleteChunks, ChunkListRequest(epoch: map.epoch, chunks: [chunk]), to: try cluster.address(NodeID(1)))
        #expect(asked.status == .badRequest)
    }
}
