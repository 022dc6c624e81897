import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// What each node has of these chunks (at most `ChunkListRequest.chunksMax`); nodes that do not answer are left
    /// out.
    package func digests(of chunks: [ChunkID], completion: @escaping Completion<[NodeID: [ChunkID: ChunkDigest]]>) {
        var perNode: [NodeID: [ChunkID]] = [:]
        for chunk in chunks {
            for replica in view.map[view.map.partition(of: chunk)].replicas {
                perNode[replica.node, default: []].append(chunk)
            }
        }
        var found: [NodeID: [ChunkID: ChunkDigest]] = [:]
        let asked = perNode.filter { view.map.node($0.key)?.isUp == true }.sorted { $0.key < $1.key }
        var left = asked.count
        guard left > 0 else { return completion(.success([:])) }
        for (node, chunks) in asked {
            let finish: (Reply) -> Void = { reply in
                if case .success(let message) = reply.decode(ChunkDigestReply.self) {
                    found[node] = Dictionary(message.digests.map { ($0.chunk, $0) }, uniquingKeysWith: { $1 })
                }
                left -= 1
                if left == 0 { completion(.success(found)) }
            }
            guard let peer = view.peer(node) else {
                finish(.failed(.unreachable))
                continue
            }
            peer.call(
                .statChunks, ChunkListRequest(epoch: view.map.epoch, chunks: chunks),
                deadline: limits.nodeAttemptDeadline,
                completion: finish)
        }
    }
}
