import ShoalChecksum
import ShoalChunkStore
import ShoalTypes
import ShoalWire

/// The steps of making a chunk equal to another replica's; on the chunk's thread.
extension ChunkStore {
    enum CopyOutcome {
        case stored
        /// The bytes do not match the checksums that came with them.
        case sourceIsBad
        case failed(ChunkStoreError)
    }

    /// - Parameter kept: Blocks that stay as they are.
    func copyBlocks(
        of chunk: ChunkID, in partition: PartitionID, like source: ChunkDigest, keeping kept: ChangedBlocks?,
        offset: Int,
        _ bytes: UnsafeRawBufferPointer, _ answer: ReadChunkReply
    ) -> CopyOutcome {
        let block = Geometry.blockBytes
        let mismatch = CRC32C.firstMismatch(in: bytes, blockBytes: block, checksums: answer.checksums)
        guard mismatch == nil else { return .sourceIsBad }
        let first = offset / block
        let all = first..<first + answer.checksums.count
        do throws(ChunkStoreError) {
            // Whole first, then the holes: a chunk's end is no hole of its own, so the length comes out right.
            for run in kept?.unchanged(in: all) ?? [all] {
                let part = UnsafeRawBufferPointer(
                    rebasing: bytes[(run.lowerBound - first) * block..<(run.upperBound - first) * block])
                try replaceBlocks(
                    chunk, in: partition, chunkBytesLog2: source.chunkBytesLog2, offset: run.lowerBound * block,
                    bytes: part,
                    checksums: Array(answer.checksums[run.lowerBound - first..<run.upperBound - first]))
            }
            for run in answer.holeRuns where offset + run.upperBound * block < source.length {
                let hole = first + run.lowerBound..<first + run.upperBound
                for part in kept?.unchanged(in: hole) ?? [hole] {
                    try replaceWithHole(
                        chunk, in: partition, offset: part.lowerBound * block, length: part.count * block)
                }
            }
            return .stored
        } catch {
            return .failed(error)
        }
    }

    /// Cuts what the source does not have, and takes its version over, but for blocks that are kept.
    func finishCopy(
        of chunk: ChunkID, in partition: PartitionID, like source: ChunkDigest, keeping kept: ChangedBlocks?
    ) throws(ChunkStoreError) {
        if let kept { return try finishCopy(of: chunk, in: partition, like: source, keeping: kept) }
        try replaceLength(chunk, in: partition, length: Int(source.length))
        try setVersion(chunk, in: partition, version: source.version, sequence: source.sequence)
    }

    /// The chunk keeps its version, which is that of the blocks that stay.
    private func finishCopy(
        of chunk: ChunkID, in partition: PartitionID, like source: ChunkDigest, keeping kept: ChangedBlocks
    ) throws(ChunkStoreError) {
        let block = Geometry.blockBytes
        let here = Int(try stat(chunk, in: partition)?.length ?? 0) / block
        let there = Int(source.length) / block
        var end = max(here, there)
        while end > 0, kept.contains(end - 1) ? end > here : end > there { end -= 1 }
        for run in kept.unchanged(in: min(there, end)..<end) {
            try replaceWithHole(chunk, in: partition, offset: run.lowerBound * block, length: run.count * block)
        }
        try replaceLength(chunk, in: partition, length: end * block)
    }
}

extension ChunkDigest {
    /// Of a replica that does not have the chunk.
    static func nothing(like other: ChunkDigest) -> ChunkDigest {
        ChunkDigest(
            chunk: other.chunk, version: 0, sequence: .none, length: 0, checksum: 0,
            chunkBytesLog2: other.chunkBytesLog2)
    }
}

extension ChunkStore {
    /// Puts back those blocks of `bytes` that match their own checksum, and either the one stored here or, if
    /// `hasSameContent` (both sides' digests of the chunk are equal), any; others are left. On the chunk's thread.
    func mendBlocks(
        of chunk: ChunkID, in partition: PartitionID, like source: ChunkDigest, hasSameContent: Bool, offset: Int,
        _ bytes: UnsafeRawBufferPointer, _ checksums: [UInt32]
    ) throws(ChunkStoreError) {
        let block = Geometry.blockBytes
        let stored = try storedChecksums(of: chunk, in: partition, offset: offset, byteCount: bytes.count)
        for (index, checksum) in checksums.enumerated() {
            let isKnown = index < stored.count && stored[index] == checksum
            let part = UnsafeRawBufferPointer(rebasing: bytes[index * block..<(index + 1) * block])
            guard isKnown || hasSameContent, CRC32C.checksum(part) == checksum else { continue }
            try replaceBlocks(
                chunk, in: partition, chunkBytesLog2: source.chunkBytesLog2, offset: offset + index * block,
                bytes: part,
                checksums: [checksum])
        }
    }

    /// Empty if the chunk's file is missing.
    private func storedChecksums(
        of chunk: ChunkID, in partition: PartitionID, offset: Int, byteCount: Int
    ) throws(ChunkStoreError) -> [UInt32] {
        let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: Geometry.blockBytes)
        defer { scratch.deallocate() }
        var checksums: [UInt32] = []
        do throws(ChunkStoreError) {
            _ = try read(chunk, in: partition, offset: offset, into: scratch, checksums: &checksums)
        } catch {
            guard case .corrupt = error else { throw error }
        }
        return checksums
    }
}

extension ReadChunkReply {
    /// The blocks of the reply that are holes, in runs.
    var holeRuns: [Range<Int>] { runs { isHole($0) } }
    /// The others.
    var dataRuns: [Range<Int>] { runs { !isHole($0) } }

    private func runs(_ isWanted: (Int) -> Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for block in checksums.indices where isWanted(block) {
            if let last = runs.last, last.upperBound == block {
                runs[runs.count - 1] = last.lowerBound..<block + 1
            } else {
                runs.append(block..<block + 1)
            }
        }
        return runs
    }
}
