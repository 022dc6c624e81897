import ShoalRPC
import ShoalTypes
import ShoalWire

/// What a file takes (`FileAttributes.allocatedBytes`, st_blocks): kept by the holder of the write lease from the
/// answers to its changes, and committed with the size.
extension Client {
    /// Chunk `index` has `blocks` that take space now.
    func note(_ blocks: UInt32, ofChunk index: UInt32, _ inode: Inode) {
        let before = inode.ledger.blocks(of: index) ?? blocks
        inode.ledger.set(index, to: blocks)
        guard blocks != before else { return }
        let block = UInt64(Geometry.blockBytes)
        let rest = inode.attributes.allocatedBytes - min(inode.attributes.allocatedBytes, UInt64(before) * block)
        attributesChanged(inode)
        inode.attributes.allocatedBytes = rest + UInt64(blocks) * block
        inode.needsCommit = true
    }

    /// After a write, which only adds: answers of replicas, and of writes that overtook each other, may come in any
    /// order.
    func noteWritten(_ blocks: UInt32, ofChunk index: UInt32, _ inode: Inode) {
        note(max(blocks, inode.ledger.blocks(of: index) ?? blocks), ofChunk: index, inode)
    }

    /// Asks how much those chunks take of which that is not known. Errors are those of reading them.
    func learnBlocks(
        of chunks: some Sequence<UInt32>, _ inode: Inode, completion: @escaping Completion<Void>
    ) {
        let unknown = Set(chunks).filter { inode.ledger.blocks(of: $0) == nil }.sorted()
        guard !unknown.isEmpty else { return completion(.success(())) }
        var left = unknown.count
        var failure: FileError?
        for index in unknown {
            let chunk = ChunkID(data: inode.attributes.data, index: index)
            layouts.layout(of: chunk, minimumEpoch: inode.grant.minimumEpoch) { result in
                switch result {
                case .success(let layout):
                    if inode.ledger.blocks(of: index) == nil { inode.ledger.set(index, to: layout.allocatedBlocks) }
                case .failure(let error): failure = error
                }
                left -= 1
                if left == 0 { completion(failure.map { .failure($0) } ?? .success(())) }
            }
        }
    }

    /// Counts all that the file takes, after a writer died that may have filled holes and could not say so.
    func recountBlocks(of inode: Inode, completion: @escaping Completion<Void>) {
        let end = UInt32(
            clamping: (inode.attributes.size + inode.attributes.chunkBytes - 1) / inode.attributes.chunkBytes)
        layouts.list(inode.attributes.data, 0..<end, minimumEpoch: inode.grant.minimumEpoch) { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let chunks):
                let blocks = chunks.reduce(UInt64(0)) { $0 + UInt64($1.allocatedBlocks) }
                attributesChanged(inode)
                inode.attributes.allocatedBytes = blocks * UInt64(Geometry.blockBytes)
                inode.ledger = BlockLedger(inode.attributes)
                inode.needsCommit = true
                completion(.success(()))
            }
        }
    }
}

extension Inode {
    /// The attributes to show: bytes that are still to be written count as if they filled holes.
    var shownAttributes: FileAttributes {
        guard !dirtyBlocks.isEmpty || flushesInFlight > 0, attributes.allocatedBytes < attributes.denseBytes else {
            return attributes
        }
        var shown = attributes
        let pages = blocks.values.reduce(0) { $0 + ($1.dirty | $1.flushing).nonzeroBitCount }
        let pending = UInt64(pages * CacheBlock.pageBytes)
        shown.allocatedBytes = min(attributes.denseBytes, attributes.allocatedBytes + pending)
        return shown
    }
}
