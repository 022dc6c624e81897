import ShoalTypes

/// The chunks that each session wrote a short while ago: what may differ between replicas should it be fenced; and what
/// of each chunk was changed under the newest lease, which making them equal must not undo.
///
/// Two generations; `rotate` drops the older one, so that a chunk is kept for one to two rotations. The owner
/// rotates only while it hears from the leader: a node that is cut off must not forget before it has learned of the
/// fence. Bounded to `chunksMax` over all sessions and to `bytesMax` of block maps; the bounds rotate early, and lie far above what a
/// node can write in a session term.
package struct WrittenChunks: Sendable {
    private struct Generation {
        var chunks: [SessionID: Set<ChunkID>] = [:]
        var blocks: [ChunkID: ChangedBlocks] = [:]
        var chunkCount = 0
        var byteCount = 0
    }

    private var current = Generation()
    private var previous = Generation()
    private let chunksMax: Int
    private let bytesMax: Int
    /// Sessions that have been fenced.
    private var fenceCount = 0

    package init(chunksMax: Int, bytesMax: Int) {
        self.chunksMax = chunksMax
        self.bytesMax = bytesMax
    }

    /// - Parameter blocks: Up to `Int.max` where the chunk was cut.
    package mutating func record(
        _ chunk: ChunkID, by session: SessionID, _ sequence: LeaseSequence, _ blocks: Range<Int>
    ) {
        if current.chunks[session, default: []].insert(chunk).inserted { current.chunkCount += 1 }
        // An older lease's are refused by the chunk.
        if current.blocks[chunk]?.sequence ?? .none <= sequence {
            let before = current.blocks[chunk]?.byteCount ?? 0
            if current.blocks[chunk]?.sequence != sequence {
                current.blocks[chunk] = ChangedBlocks(session: session, sequence: sequence)
            }
            current.blocks[chunk]?.insert(blocks)
            current.blocks[chunk]?.fenceCount = fenceCount
            current.byteCount += (current.blocks[chunk]?.byteCount ?? 0) - before
        }
        if current.chunkCount >= chunksMax / 2 || current.byteCount >= bytesMax / 2 { rotate() }
    }

    package mutating func rotate() {
        previous = current
        current = Generation()
    }

    /// The chunks of a session that has ended, ascending; they are forgotten here.
    package mutating func take(_ session: SessionID) -> [ChunkID] {
        let recent = current.chunks.removeValue(forKey: session) ?? []
        current.chunkCount -= recent.count
        fenceCount += 1
        let chunks = recent.union(previous.chunks.removeValue(forKey: session) ?? [])
        for chunk in chunks {
            if current.blocks[chunk]?.session == session { current.blocks[chunk]?.isVoid = true }
            if previous.blocks[chunk]?.session == session { previous.blocks[chunk]?.isVoid = true }
        }
        return chunks.sorted()
    }

    /// What was changed here under the newest lease, if that is no older than `sequence` and its session has not been fenced.
    package func blocks(of chunk: ChunkID, since sequence: LeaseSequence) -> ChangedBlocks? {
        let found = [current.blocks[chunk], previous.blocks[chunk]].compactMap { $0 }
        guard var newest = found.max(by: { $0.sequence < $1.sequence }), newest.sequence >= sequence, !newest.isVoid
        else { return nil }
        for other in found where other.sequence == newest.sequence { newest.formUnion(other) }
        return newest
    }

    /// The same of a chunk that the other replica does not have: whether that was removed there by who has been fenced
    /// since, is not known. So only what came after the last fence.
    package func blocksOfMissing(_ chunk: ChunkID) -> ChangedBlocks? {
        blocks(of: chunk, since: .none).flatMap { $0.fenceCount == fenceCount ? $0 : nil }
    }

    /// A change was refused: what the chunk has is not known any more.
    package mutating func forgetBlocks(of chunk: ChunkID) {
        if let blocks = current.blocks.removeValue(forKey: chunk) { current.byteCount -= blocks.byteCount }
        previous.blocks[chunk] = nil
    }

    /// This replica has missed changes of these: what it has may be older than what the others have.
    package mutating func forgetBlocks(where isForgotten: (ChunkID) -> Bool) {
        for chunk in Set(current.blocks.keys).union(previous.blocks.keys) where isForgotten(chunk) {
            forgetBlocks(of: chunk)
        }
    }
}
