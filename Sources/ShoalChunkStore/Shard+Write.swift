import ShoalKeyValue
import ShoalTypes

extension Shard {
    /// Returns the blocks of the chunk that take space now.
    func write(_ write: ChunkWrite) throws(ChunkStoreError) -> Int {
        try latch.check()
        try write.check()
        try space.admit(bytes: write.bytes.count, isRepair: write.stamp == nil)
        switch try findForWrite(write) {
        case .absent:
            var header = ChunkHeader(
                isFile: write.end > limits.inlineBytesMax, chunkBytesLog2: write.chunkBytesLog2, length: 0, version: 0,
                sequence: .none)
            if header.isFile {
                return try createFile(header, write)
            } else {
                header.apply(write.stamp)
                return try putInline(write, header, checksums: [], isNew: true)
            }
        case .inline(var header, let checksums):
            try header.admit(write)
            if write.end <= limits.inlineBytesMax {
                header.apply(write.stamp)
                return try putInline(write, header, checksums: checksums, isNew: false)
            } else {
                let open = try moveToFile(write.chunk, in: write.partition, header, checksums)
                return try change(open, write, isNew: false)
            }
        case .file(let open):
            try open.header.admit(write)
            return try change(open, write, isNew: false)
        }
    }

    /// A repair may find the file missing, and makes it anew: blocks that it does not bring stay bad.
    private func findForWrite(_ write: ChunkWrite) throws(ChunkStoreError) -> Stored {
        do throws(ChunkStoreError) {
            return try find(write.chunk, in: write.partition)
        } catch {
            guard case .corrupt = error, write.stamp == nil,
                let (header, checksums) = try lookUp(write.chunk, in: write.partition), header.isFile
            else { throw error }
            let file = try diskCall { () throws(DiskError) in try files.create(write.chunk) }
            let open = OpenChunk(
                chunk: write.chunk, partition: write.partition, file: file, header: header, checksums: checksums,
                isNew: true)
            cache.insert(open)
            return .file(open)
        }
    }

    /// Overwrites and extends a chunk file.
    ///
    /// 1. Marks of regions whose durable blocks change are put and synced. 2. The bytes. 3. One batch, not synced:
    ///    header, changed regions' checksums, marks of regions that are new.
    func change(_ open: OpenChunk, _ write: ChunkWrite, isNew: Bool) throws(ChunkStoreError) -> Int {
        try syncer.makeRoom(for: open.chunk)
        let oldCount = open.header.blockCount
        // Blocks of a gap between the old end and the write become holes.
        let changed = min(oldCount, write.blocks.lowerBound)..<write.blocks.upperBound
        let touches = touches(of: changed, by: write, open: open)
        let cover = try beginChange(open, touches)
        defer { dirty.end(open.chunk) }
        do throws(DiskError) {
            try open.file.write(at: write.offset, write.bytes)
        } catch {
            try undo(open, write, error)
        }

        var header = open.header
        header.length = max(header.length, write.end)
        header.apply(write.stamp)
        header.holes.fill(write.blocks, oldCount: oldCount)
        if header == open.header && touches.isEmpty { return header.allocatedBlocks }
        if oldCount < write.blocks.upperBound {
            let added = write.blocks.upperBound - oldCount
            open.checksums.append(contentsOf: repeatElement(Checksums.zero, count: added))
        }
        open.checksums.replaceSubrange(write.blocks, with: write.checksums)
        open.header = header

        var batch = WriteBatch()
        put(open, regions: touches.map(\.region), in: &batch)
        for (region, _) in cover { batch.put(IndexKey.mark(region, of: open.chunk, in: open.partition), []) }
        if isNew { count(1, in: &batch) }
        let ticket = try index.commit(batch)
        dirty.note(cover, of: open.chunk, ticket: ticket)
        // Filled to its end, as who writes from front to back does: the disk need not wait for the sync that comes at the end.
        if oldCount < write.blocks.upperBound, write.end == 1 << Int(write.chunkBytesLog2) { open.file.startWriting() }
        return header.allocatedBlocks
    }

    /// The regions in which the write changes, fills or adds blocks. A block that keeps its checksum keeps its bytes: it needs
    /// no mark, so that a repair does not expose its still broken neighbours to being resealed.
    private func touches(of changed: Range<Int>, by write: ChunkWrite, open: OpenChunk) -> [DirtyTable.Touch] {
        let oldCount = open.header.blockCount
        return Checksums.regions(of: changed).compactMap { region in
            let start = region * Checksums.regionBlocks
            let end = min(start + Checksums.regionBlocks, changed.upperBound)
            let lower = max(start, write.blocks.lowerBound)
            let upper = min(end, oldCount)
            let existing = (lower..<max(lower, upper)).first {
                open.checksums[$0] != write.checksums[$0 - write.blocks.lowerBound]
            }
            let filled = (lower..<max(lower, upper)).first { open.header.holes.contains($0) }
            if existing == nil && filled == nil && end <= oldCount { return nil }
            return DirtyTable.Touch(
                region: region, existingFrom: [existing, filled].compactMap { $0 }.min().map { $0 - start },
                newFrom: max(start, oldCount) - start)
        }
    }

    /// Registers the change and makes the marks durable that must be so first. Returns the marks that go with the
    /// change's own batch. The caller owes `dirty.end`.
    func beginChange(
        _ open: OpenChunk, _ touches: [DirtyTable.Touch]
    ) throws(ChunkStoreError) -> [(region: Int, from: Int)] {
        let duty = dirty.begin(
            open.chunk, in: open.partition, file: open.file, isNew: open.isNew, touches: touches)
        open.isNew = false
        do throws(ChunkStoreError) {
            var ticket = duty.waitFor
            if !duty.persist.isEmpty {
                var batch = WriteBatch()
                for region in duty.persist { batch.put(IndexKey.mark(region, of: open.chunk, in: open.partition), []) }
                ticket = try index.commit(batch)
                dirty.note(duty.persist.map { ($0, Checksums.regionBlocks) }, of: open.chunk, ticket: ticket)
            }
            try index.sync(ticket)
        } catch {
            dirty.end(open.chunk)
            throw error
        }
        return duty.cover
    }

    /// The header and the checksums of some regions, as `open` has them.
    func put(_ open: OpenChunk, regions: [Int], in batch: inout WriteBatch) {
        batch.put(IndexKey.header(open.chunk, in: open.partition), open.header.encoded())
        for region in regions {
            let blocks = Checksums.blocks(ofRegion: region, blockCount: open.header.blockCount)
            let key = IndexKey.region(region, of: open.chunk, in: open.partition)
            if blocks.isEmpty {
                batch.delete(key)
            } else {
                let holes = open.header.holes[region: region]
                batch.put(key, RegionRecord.encoded(open.checksums[blocks], holes: holes))
            }
        }
    }

    /// After a write that failed half-way: cuts off what it added, and gives the blocks it changed the checksums of
    /// what they hold now, old or new. Always throws.
    private func undo(_ open: OpenChunk, _ write: ChunkWrite, _ cause: DiskError) throws(ChunkStoreError) -> Never {
        let overwritten = write.blocks.clamped(to: 0..<open.header.blockCount)
        let resealed: Int
        do throws(DiskError) {
            if try open.file.length() > open.header.length { try open.file.truncate(to: open.header.length) }
            var checksums = Array(open.checksums[overwritten])
            resealed = try BlockSeal.reseal(open.file, from: overwritten.lowerBound, checksums: &checksums)
            open.checksums.replaceSubrange(overwritten, with: checksums)
            for block in overwritten where open.checksums[block] != Checksums.zero {
                open.header.holes.remove(block..<block + 1)
            }
        } catch {
            cache.remove(open.chunk)
            throw latch.fail(ChunkStoreError(error))
        }
        if resealed > 0 {
            var batch = WriteBatch()
            put(open, regions: Array(Checksums.regions(of: overwritten)), in: &batch)
            try index.commit(batch)
        }
        throw cause.isDiskFull ? .noSpace : latch.fail(ChunkStoreError(cause))
    }
}
