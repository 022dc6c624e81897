import ShoalRPC
import ShoalTypes
import ShoalWire

/// A part of a chunk that is to become a hole: from byte `from`, whole blocks, up to `to`, nil for the end of the chunk.
struct ChunkCut {
    var index: UInt32
    var from: Int
    var to: Int?
}

extension Client {
    /// A file's chunks among `indices` that exist, and may be more than those if they are few: asking costs as much as
    /// cutting what is not there. What each of them takes is known afterwards.
    func existingChunks(of inode: Inode, _ indices: Range<UInt64>, completion: @escaping Completion<[UInt32]>) {
        let range = UInt32(clamping: indices.lowerBound)..<UInt32(clamping: indices.upperBound)
        if range.count <= 16 {
            return learnBlocks(of: range, inode) { completion($0.map { Array(range) }) }
        }
        layouts.list(inode.attributes.data, range, minimumEpoch: inode.grant.minimumEpoch) { result in
            if case .success(let chunks) = result {
                for chunk in chunks where inode.ledger.blocks(of: chunk.index) == nil {
                    inode.ledger.set(chunk.index, to: chunk.allocatedBlocks)
                }
            }
            completion(result.map { $0.map(\.index) })
        }
    }

    /// Up to sixteen at once. The ledger follows each.
    func cut(_ inode: Inode, _ cuts: ArraySlice<ChunkCut>, _ completion: @escaping Completion<Void>) {
        let batch = cuts.prefix(16)
        guard !batch.isEmpty else { return completion(.success(())) }
        var left = batch.count
        var failure: FileError?
        for one in batch {
            cut(one, inode) { [self] status in
                if status != .ok { failure = failure ?? status.fileError }
                left -= 1
                guard left == 0 else { return }
                if let failure { return completion(.failure(failure)) }
                cut(inode, cuts.dropFirst(16), completion)
            }
        }
    }

    private func cut(_ cut: ChunkCut, _ inode: Inode, completion: @escaping (WireStatus) -> Void) {
        inode.chunkVersion += 1
        inode.unsyncedChunks.insert(cut.index)
        let version = inode.chunkVersion
        let sequence = inode.grant.sequence
        let deadline = limits.nodeAttemptDeadline
        let chunk = ChunkID(data: inode.attributes.data, index: cut.index)
        let change = ChunkWriter.Change(
            chunk: chunk, minimumEpoch: inode.grant.minimumEpoch,
            counted: { [self] blocks in note(blocks, ofChunk: cut.index, inode) }
        ) { peer, epoch, session, generation, completion in
            guard let end = cut.to else {
                var request = TruncateChunkRequest()
                request.epoch = epoch
                request.session = session
                request.generation = generation
                request.sequence = sequence
                request.chunk = chunk
                request.length = UInt32(cut.from)
                request.version = version
                return peer.call(.truncateChunk, request, deadline: deadline, completion: completion)
            }
            var request = PunchChunkRequest()
            request.epoch = epoch
            request.session = session
            request.generation = generation
            request.sequence = sequence
            request.chunk = chunk
            request.offset = UInt32(cut.from)
            request.length = UInt32(end - cut.from)
            request.version = version
            peer.call(.punchChunk, request, deadline: deadline, completion: completion)
        }
        writer.apply(change, completion: completion)
    }
}
