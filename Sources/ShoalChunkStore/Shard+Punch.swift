import ShoalKeyValue
import ShoalTypes

extension Shard {
    /// Makes blocks of the chunk a hole: they read as zeros, and their space comes back. What reaches its end is cut
    /// off; all of it, and the chunk is gone. Returns the blocks that are left.
    func punch(
        _ chunk: ChunkID, in partition: PartitionID, offset: Int, length: Int, stamp: ChunkWrite.Stamp?
    ) throws(ChunkStoreError) -> Int {
        try latch.check()
        let block = Geometry.blockBytes
        guard offset >= 0, length > 0, offset % block == 0, length % block == 0,
            offset + length <= 1 << Int(Geometry.chunkBytesLog2Range.upperBound)
        else { throw .badRange }
        switch try find(chunk, in: partition) {
        case .absent:
            return 0
        case .inline(var header, var checksums):
            try header.admit(stamp)
            if offset + length >= header.length {
                return try truncate(chunk, in: partition, length: min(offset, header.length), stamp: stamp)
            }
            header.apply(stamp)
            var bytes = try inlineBytes(chunk, in: partition)
            for position in offset..<min(offset + length, max(offset, bytes.count)) { bytes[position] = 0 }
            let blocks = offset / block..<(offset + length) / block
            checksums.replaceSubrange(blocks, with: repeatElement(Checksums.zero, count: blocks.count))
            header.holes.insert(blocks)
            try putInline(chunk, in: partition, header, checksums: checksums, bytes: bytes, isNew: false)
            return header.allocatedBlocks
        case .file(let open):
            try open.header.admit(stamp)
            if offset + length >= open.header.length {
                return try truncate(chunk, in: partition, length: min(offset, open.header.length), stamp: stamp)
            }
            try punch(open, offset / block..<(offset + length) / block, stamp: stamp)
            return open.header.allocatedBlocks
        }
    }

    /// The same order as an overwrite: durable marks, the file, one batch.
    private func punch(_ open: OpenChunk, _ blocks: Range<Int>, stamp: ChunkWrite.Stamp?) throws(ChunkStoreError) {
        try syncer.makeRoom(for: open.chunk)
        let touches = Checksums.regions(of: blocks).compactMap { region -> DirtyTable.Touch? in
            let start = region * Checksums.regionBlocks
            let part = blocks.clamped(to: start..<start + Checksums.regionBlocks)
            guard let first = part.first(where: { !open.header.holes.contains($0) }) else { return nil }
            return DirtyTable.Touch(region: region, existingFrom: first - start, newFrom: Checksums.regionBlocks)
        }
        _ = try beginChange(open, touches)
        defer { dirty.end(open.chunk) }
        if !touches.isEmpty {
            do throws(DiskError) {
                try open.file.punch(
                    at: blocks.lowerBound * Geometry.blockBytes, count: blocks.count * Geometry.blockBytes)
            } catch {
                cache.remove(open.chunk)
                throw latch.fail(ChunkStoreError(error))
            }
            open.checksums.replaceSubrange(blocks, with: repeatElement(Checksums.zero, count: blocks.count))
            open.header.holes.insert(blocks)
        }
        open.header.apply(stamp)
        var batch = WriteBatch()
        put(open, regions: touches.map(\.region), in: &batch)
        try index.commit(batch)
    }
}
