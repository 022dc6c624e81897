import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// Writes back and makes durable: on return the file's content and, with the metadata server's log, its attributes
    /// and names survive the loss of power of every machine (fsync(2)).
    package func sync(_ id: InodeID, completion: @escaping Completion<Void>) {
        let inode = inodes.inode(id)
        guard !inode.isDirectory else { return syncMetadata(completion: completion) }
        // The nodes sync while size and times are committed.
        let run = { [self] (done: @escaping () -> Void) in
            var left = 1
            var failure: FileError?
            let part: Completion<Void> = { result in
                if case .failure(let error) = result { failure = failure ?? error }
                left -= 1
                guard left == 0 else { return }
                completion(failure.map { .failure($0) } ?? .success(()))
                done()
            }
            let written = { [self] in
                left += 1
                syncChunks(of: inode, completion: part)
            }
            flush(inode, written: written) { [self] result in
                guard case .success = result else { return part(result) }
                syncMetadata(completion: part)
            }
        }
        // Another mount's bytes are in its own buffers until a lease brings them to the nodes.
        withLease(.read, on: inode, failure: { completion(.failure($0)) }, run)
    }

    package func syncMetadata(completion: @escaping Completion<Void>) {
        metadata.request(.syncMetadata, isChange: false, { SessionRequest(session: $0.session) }) { reply in
            completion(reply.status == .ok ? .success(()) : .failure(reply.status.fileError))
        }
    }

    /// Asks every node with a replica of an unsynced chunk to sync it; every node at all when others may have written
    /// it too.
    private func syncChunks(of inode: Inode, completion: @escaping Completion<Void>) {
        if limits.plantedFault == .earlySync { return completion(.success(())) }
        let indexes = inode.unsyncedChunks
        let isForeign = inode.mayHaveForeignUnsynced
        guard isForeign || !indexes.isEmpty, inode.attributes.data != .none else { return completion(.success(())) }
        inode.unsyncedChunks = []
        inode.mayHaveForeignUnsynced = false
        syncChunks(inode.attributes.data, isForeign ? [ChunkListRequest.everyIndex] : indexes) { result in
            if case .failure = result {
                inode.unsyncedChunks.formUnion(indexes)
                inode.mayHaveForeignUnsynced = inode.mayHaveForeignUnsynced || isForeign
            }
            completion(result)
        }
    }

    func syncChunks(_ data: DataID, _ indexes: Set<UInt32>, completion: @escaping Completion<Void>) {
        let chunks = indexes.sorted().map { ChunkID(data: data, index: $0) }
        advance(NodeSync(chunks: chunks, deadline: scheduler.now + limits.nodeDeadline, completion: completion))
    }

    /// One sync on its way over the nodes.
    private final class NodeSync {
        let chunks: [ChunkID]
        let deadline: MonotonicInstant
        var synced: Set<NodeID> = []
        var underWay: Set<NodeID> = []
        private var completion: Completion<Void>?
        var isDone: Bool { completion == nil }
        init(chunks: [ChunkID], deadline: MonotonicInstant, completion: @escaping Completion<Void>) {
            self.chunks = chunks
            self.deadline = deadline
            self.completion = completion
        }
        func finish(_ result: Result<Void, FileError>) {
            let completion = self.completion
            self.completion = nil
            completion?(result)
        }
    }

    private func nodes(of sync: NodeSync) -> [NodeID: [ChunkID]] {
        var perNode: [NodeID: [ChunkID]] = [:]
        for chunk in sync.chunks {
            if chunk.index == ChunkListRequest.everyIndex {
                for node in view.map.nodes where node.isUp { perNode[node.id, default: []].append(chunk) }
            } else {
                for replica in view.map[view.map.partition(of: chunk)].writable {
                    perNode[replica.node, default: []].append(chunk)
                }
            }
        }
        return perNode
    }

    private func advance(_ sync: NodeSync) {
        guard !sync.isDone else { return }
        guard scheduler.now < sync.deadline else { return sync.finish(.failure(.inputOutput)) }
        let missing = nodes(of: sync).filter { !sync.synced.contains($0.key) }.sorted { $0.key < $1.key }
        if missing.isEmpty, sync.underWay.isEmpty { return sync.finish(.success(())) }
        for (node, chunks) in missing where !sync.underWay.contains(node) {
            guard let peer = view.peer(node) else { continue }
            sync.underWay.insert(node)
            sendParts(chunks[...], to: peer) { [self] status in
                sync.underWay.remove(node)
                answered(status, node, chunks[0], sync)
            }
        }
    }

    private func sendParts(_ chunks: ArraySlice<ChunkID>, to peer: any Peer, completion: @escaping (WireStatus) -> Void)
    {
        let part = Array(chunks.prefix(ChunkListRequest.chunksMax))
        peer.call(
            .syncChunks, ChunkListRequest(epoch: view.map.epoch, chunks: part), deadline: limits.nodeDeadline
        ) { [self] reply in
            let rest = chunks.dropFirst(part.count)
            if reply.status == .ok, !rest.isEmpty { return sendParts(rest, to: peer, completion: completion) }
            completion(reply.status)
        }
    }

    private func answered(_ status: WireStatus, _ node: NodeID, _ chunk: ChunkID, _ sync: NodeSync) {
        let again = { [self] in
            _ = scheduler.schedule(after: limits.retryPause) { [self] in advance(sync) }
        }
        switch status {
        case .ok:
            sync.synced.insert(node)
            advance(sync)
        case .staleEpoch, .notReplica:
            view.refresh(completion: again)
        case .notReady:
            again()
        case .unreachable:
            let known = chunk.index == ChunkListRequest.everyIndex ? PartitionID(0) : view.map.partition(of: chunk)
            view.report(node, partition: known, completion: again)
        default:
            sync.finish(.failure(status.fileError))
        }
    }
}
