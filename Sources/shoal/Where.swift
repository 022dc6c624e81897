import ArgumentParser
import Logging
import ShoalClient
import ShoalCluster
import ShoalPlacement
import ShoalTypes
import ShoalWire

struct Where: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show which nodes hold a file's chunks.",
        discussion: """
            One line per chunk and replica: the partition, the node, the replica's state, and the version, length and checksum of what the \
            node has. Replicas with equal versions and checksums are equal. A chunk that no node has is a hole.

            EXAMPLES
              shoal where /docs/report.pdf
            """)

    @Argument(help: "A path in the cluster.")
    var path: String

    @OptionGroup var target: TargetOptions
    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.start("where", default: .error)
        let remote = try RemoteFilesystem(try target.metadataAddress(), logger: logger)
        let found = try remote.resolve(path)
        guard found.kind == .regular else {
            throw PathError(path: path, error: found.kind == .directory ? .isDirectory : .invalidArgument)
        }
        let map: ClusterMap = try remote.wait(path) { $1(.success($0.map)) }
        var table = TextTable([
            ("CHUNK", .right), ("PARTITION", .right), ("NODE", .right), ("ADDRESS", .left), ("REPLICA", .left),
            ("VERSION", .right), ("LENGTH", .right), ("CHECKSUM", .left),
        ])
        let count = (found.size + found.chunkBytes - 1) / found.chunkBytes
        var first: UInt64 = 0
        while first < count {
            let end = min(count, first + UInt64(ChunkListRequest.chunksMax))
            let chunks = (first..<end).map { ChunkID(data: found.data, index: UInt32($0)) }
            let digests: [NodeID: [ChunkID: ChunkDigest]] = try remote.wait(path) {
                $0.digests(of: chunks, completion: $1)
            }
            for chunk in chunks { append(chunk, map, digests, to: &table) }
            first = end
        }
        print(table.text, terminator: "")
        try remote.close()
    }

    private func append(
        _ chunk: ChunkID, _ map: ClusterMap, _ digests: [NodeID: [ChunkID: ChunkDigest]], to table: inout TextTable
    ) {
        let partition = map.partition(of: chunk)
        for replica in map[partition].replicas {
            let digest = digests[replica.node]?[chunk]
            let isKnown = digests[replica.node] != nil
            table.append([
                "\(chunk.index)", "\(partition)", "\(replica.node)", map.node(replica.node)?.address ?? "?",
                Self.words(replica.state), digest.map { "\($0.version)" } ?? (isKnown ? "hole" : "no answer"),
                digest.map { "\($0.length)" } ?? "", digest.map { String($0.checksum, radix: 16) } ?? "",
            ])
        }
    }

    private static func words(_ state: ReplicaState) -> String {
        switch state {
        case .inSync: "in sync"
        case .syncing: "syncing"
        case .stale: "stale"
        }
    }
}
