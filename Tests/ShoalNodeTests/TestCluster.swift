import Glibc
import ShoalChunkStore
import ShoalNode
import ShoalTransport
import ShoalTypes
import ShoalWire
import Testing

/// A fake metadata server and nodes over real loopback, in fresh directories.
final class TestCluster {
    let metadata: FakeMetadata
    let root: String
    var nodes: [NodeService?] = []
    private let disk: any Disk
    private let limits: NodeLimits

    /// Starts `nodes` nodes; partition p is on nodes p, p + 1, ... (mod the count), all in sync.
    init(
        nodes count: Int, replicas: Int, partitions: Int = 16, disk: any Disk = PosixDisk(),
        limits: NodeLimits = .test
    ) throws {
        metadata = try FakeMetadata(partitions: partitions, replicas: replicas)
        root = try makeTemporaryDirectory()
        self.disk = disk
        self.limits = limits
        for index in 0..<count {
            nodes.append(try makeNode(index))
            try nodes[index]?.start()
        }
        metadata.update { map in
            for partition in map.partitions.indices {
                map.partitions[partition].replicas = (0..<replicas).map { replica in
                    Replica(node: NodeID(UInt32((partition + replica) % count + 1)), state: .inSync)
                }
            }
            return Array(map.partitions.indices)
        }
        awaitMaps()
    }

    func directory(_ index: Int) -> String { "\(root)/node\(index)" }

    func makeNode(_ index: Int) throws -> NodeService {
        try NodeService(
            directory: directory(index), listen: HostPort(host: "127.0.0.1", port: 0), metadata: metadata.address,
            limits: limits, disk: disk, logger: quiet)
    }

    /// Starts a node again that was stopped or dropped.
    func restart(_ index: Int) throws {
        nodes[index] = try makeNode(index)
        try nodes[index]?.start()
    }

    /// Ends a node as kill -9 would, and waits until the map says so.
    func drop(_ index: Int) {
        nodes[index]?.terminate()
        nodes[index] = nil
        let id = NodeID(UInt32(index + 1))
        _ = metadata.wait { map in map.node(id)?.isUp == false }
    }

    func stop() {
        for node in nodes { node?.terminate() }
        metadata.stop()
        removeTree(root)
    }

    func node(_ id: NodeID) throws -> NodeService { try #require(nodes[Int(id.rawValue) - 1]) }
    func address(_ id: NodeID) throws -> HostPort { try node(id).address }

    /// Returns when every node knows the newest map: a request that names its epoch waits for it.
    func awaitMaps() {
        let map = metadata.currentMap
        let client = TestClient(session: .none)
        defer { client.stop() }
        for case let node? in nodes {
            let status = client.call(.statChunks, ChunkListRequest(epoch: map.epoch, chunks: []), to: node.address)
                .status
            precondition(status == .ok, "a node did not take the map: \(status)")
        }
    }

    /// A chunk that the map puts into a partition whose replicas begin with `first`.
    func chunk(on first: NodeID, map: ClusterMap, from data: UInt64 = 1) -> ChunkID {
        var data = data
        while true {
            let chunk = ChunkID(data: DataID(data), index: 0)
            if map[map.partition(of: chunk)].replicas.first?.node == first { return chunk }
            data += 1
        }
    }

    /// All chunks of a node's partition, as its index has them.
    func records(_ id: NodeID, _ partition: PartitionID) throws -> [ChunkRecord] {
        try node(id).store.scan(partition, after: nil, limit: 1_000_000)
    }
}

extension NodeLimits {
    static let test: NodeLimits = {
        var limits = NodeLimits()
        limits.retryPause = .milliseconds(20)
        limits.registrationWait = .seconds(5)
        limits.mapWait = .seconds(1)
        limits.scrubBytesPerSecond = 0
        return limits
    }()
}

func makeTemporaryDirectory() throws -> String {
    var template = Array("/tmp/shoal-node-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer -> String? in
        guard let base = buffer.baseAddress, let made = mkdtemp(base) else { return nil }
        return String(cString: made)
    }
    return try #require(made)
}

/// Every regular file under `path`, with its size.
func files(under path: String) -> [(path: String, bytes: Int)] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var found: [(path: String, bytes: Int)] = []
    while let entry = readdir(directory) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name == "." || name == ".." { continue }
        let child = "\(path)/\(name)"
        var status = stat()
        guard lstat(child, &status) == 0 else { continue }
        if status.st_mode & S_IFMT == S_IFDIR {
            found += files(under: child)
        } else {
            found.append((child, status.st_size))
        }
    }
    return found
}

func removeTree(_ path: String) {
    for file in files(under: path) { unlink(file.path) }
    removeDirectories(path)
}

private func removeDirectories(_ path: String) {
    if let directory = opendir(path) {
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { removeDirectories("\(path)/\(name)") }
        }
        closedir(directory)
    }
    rmdir(path)
}
