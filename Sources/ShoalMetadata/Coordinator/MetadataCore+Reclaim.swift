import ShoalTypes
import ShoalWire

/// Deletes on the nodes what no file refers to any more, in rounds.
///
/// A file of many chunks, of which a sparse one may have few, is named as a whole: each node finds what it has of it.
/// Every node that is up and holds a replica is asked; one that is down finds out when it compares its partitions. A
/// node that becomes a replica during a round may copy a chunk before its source deletes it: that is lost space until a
/// scrub, and never wrong data, as data IDs are not used again.
extension MetadataCore {
    func tickReclaim() {
        guard case .idle = reclaim.phase, now >= reclaim.nextLook, graceEnd == nil else { return }
        if now >= reclaim.nextPass {
            reclaim.position = .none
            reclaim.nextPass = now + limits.deletionPause
        }
        do throws(MetadataError) {
            let transaction = namespace.begin()
            let entries = try transaction.reclaimEntries(after: reclaim.position, limit: limits.deletionEntriesMax)
            guard !entries.isEmpty, !keeper.durable.partitions.isEmpty else { return pause() }
            var room = UInt64(limits.deletionChunksMax)
            reclaim.pieces = []
            for entry in entries where room > 0 {
                if entry.chunkCount - entry.firstChunk > UInt64(limits.deletionChunksMax) {
                    reclaim.pieces.append(ReclaimState.Piece(data: entry.data, end: entry.chunkCount))
                    reclaim.position = entry.data
                    room -= 1
                    continue
                }
                let end = min(entry.chunkCount, entry.firstChunk + room)
                reclaim.pieces.append(ReclaimState.Piece(data: entry.data, firstChunk: entry.firstChunk, end: end))
                room -= end - entry.firstChunk
                if end == entry.chunkCount { reclaim.position = entry.data }
            }
            reclaim.isFull = entries.count == limits.deletionEntriesMax || room == 0
            let question = nextQuestion()
            reclaim.phase = .syncing(question)
            act(.sync(question))
        } catch {
            _ = failed(error)
            pause()
        }
    }

    func queueIsDurable(_ question: QuestionID) {
        guard case .syncing(question) = reclaim.phase else { return }
        let map = keeper.durable
        var lists: [NodeID: [ChunkID]] = [:]
        for piece in reclaim.pieces {
            if piece.isWhole {
                let every = ChunkID(data: piece.data, index: ChunkListRequest.everyIndex)
                for node in map.nodes { lists[node.id, default: []].append(every) }
                continue
            }
            for index in piece.firstChunk..<piece.end {
                let chunk = ChunkID(data: piece.data, index: UInt32(truncatingIfNeeded: index))
                for replica in map[map.partition(of: chunk)].replicas { lists[replica.node, default: []].append(chunk) }
            }
        }
        reclaim.hasFailed = false
        var open: Set<QuestionID> = []
        for node in lists.keys.sorted() where map.node(node)?.isUp == true {
            guard let connection = nodes[node]?.connection, let chunks = lists[node] else {
                reclaim.hasFailed = true
                continue
            }
            let question = nextQuestion()
            open.insert(question)
            act(.ask(connection, question, .deleteChunks(ChunkListRequest(epoch: map.epoch, chunks: chunks))))
        }
        reclaim.phase = .deleting(open)
        if open.isEmpty { finishRound() }
    }

    func deletionAnswered(_ question: QuestionID, _ status: WireStatus) {
        guard case .deleting(var open) = reclaim.phase, open.remove(question) != nil else { return }
        if status != .ok { reclaim.hasFailed = true }
        reclaim.phase = .deleting(open)
        if open.isEmpty { finishRound() }
    }

    private func finishRound() {
        reclaim.phase = .idle
        guard !reclaim.hasFailed else { return pause() }
        var rest = reclaim.pieces[...]
        reclaim.pieces = []
        do throws(MetadataError) {
            while !rest.isEmpty {
                // Transactions are for a handful of changes.
                var transaction = namespace.begin()
                for piece in rest.prefix(32) { try transaction.advanceReclaim(piece.data, to: piece.end) }
                rest = rest.dropFirst(32)
                if commit(transaction) != nil { return pause() }
            }
        } catch {
            _ = failed(error)
            return pause()
        }
        // Less than a full round can wait for the next tick: more comes together then, for the same sync.
        if reclaim.isFull { tickReclaim() }
    }

    private func pause() { reclaim.nextLook = now + limits.deletionPause }
}
