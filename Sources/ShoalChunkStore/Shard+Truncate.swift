import ShoalKeyValue
import ShoalTypes

extension Shard {
    /// Cuts the chunk to `length`; 0 deletes it. A longer length changes only version and sequence. Returns the blocks
    /// that still take space.
    func truncate(
        _ chunk: ChunkID, in partition: PartitionID, length: Int, stamp: ChunkWrite.Stamp?
    ) throws(ChunkStoreError) -> Int {
        try latch.check()
        guard length >= 0, length % Geometry.blockBytes == 0 else { throw .badRange }
        switch try find(chunk, in: partition) {
        case .absent:
            return 0
        case .inline(var header, var checksums):
            try header.admit(stamp)
            if length == 0 {
                try delete(chunk, in: partition)
                return 0
            }
            header.apply(stamp)
            header.length = min(header.length, length)
            header.holes.cut(to: header.blockCount)
            checksums.removeLast(checksums.count - header.blockCount)
            let bytes = try inlineBytes(chunk, in: partition)
            try putInline(
                chunk, in: partition, header, checksums: checksums, bytes: Array(bytes.prefix(header.length)),
                isNew: false)
            return header.allocatedBlocks
        case .file(let open):
            try open.header.admit(stamp)
            if length == 0 {
                try delete(chunk, in: partition)
                return 0
            }
            if length < open.header.length {
                try cut(open, to: length, stamp: stamp)
            } else {
                open.header.apply(stamp)
                var batch = WriteBatch()
                put(open, regions: [], in: &batch)
                try index.commit(batch)
            }
            return open.header.allocatedBlocks
        }
    }

    /// A file stays a file, however short. The same order as a write: durable marks, the file, one batch.
    private func cut(_ open: OpenChunk, to length: Int, stamp: ChunkWrite.Stamp?) throws(ChunkStoreError) {
        try syncer.makeRoom(for: open.chunk)
        let removed = length / Geometry.blockBytes..<open.header.blockCount
        let touches = Checksums.regions(of: removed).map { region in
            let start = region * Checksums.regionBlocks
            return DirtyTable.Touch(
                region: region, existingFrom: max(start, removed.lowerBound) - start, newFrom: Checksums.regionBlocks)
        }
        _ = try beginChange(open, touches)
        defer { dirty.end(open.chunk) }
        do throws(DiskError) { try open.file.truncate(to: length) } catch {
            cache.remove(open.chunk)
            throw latch.fail(ChunkStoreError(error))
        }
        open.header.length = length
        open.header.holes.cut(to: open.header.blockCount)
        open.header.apply(stamp)
        open.checksums.removeLast(removed.count)
        var batch = WriteBatch()
        put(open, regions: touches.map(\.region), in: &batch)
        try index.commit(batch)
    }

    /// Removes the chunk. Its file goes later, when the removal is durable.
    func delete(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) {
        try latch.check()
        guard let value = try index.get(IndexKey.header(chunk, in: partition)) else { return }
        guard let header = value.withUnsafeBytes({ ChunkHeader($0) }) else {
            throw .corrupt(chunk, detail: "its header cannot be read")
        }
        var batch = WriteBatch()
        batch.delete(IndexKey.header(chunk, in: partition))
        count(-1, in: &batch)
        guard header.isFile else {
            batch.delete(IndexKey.inline(chunk, in: partition))
            try index.commit(batch)
            return
        }
        if unlinks.count >= limits.unlinksMax {
            try index.syncAll()
            _ = try unlinks.run(max: limits.chunksPerStep)
        }
        cache.remove(chunk)
        let entry = dirty.remove(chunk)
        for region in Checksums.regions(of: 0..<header.blockCount) {
            batch.delete(IndexKey.region(region, of: chunk, in: partition))
        }
        for region in (entry?.marks.keys.sorted() ?? []) {
            batch.delete(IndexKey.mark(region, of: chunk, in: partition))
        }
        batch.put(IndexKey.file(chunk, in: partition), FileRecord.deleting.encoded)
        let ticket = try index.commit(batch)
        unlinks.add(chunk, in: partition, ticket: ticket)
    }

    /// Sets both exactly, also backwards: what a replica that has been copied from another takes over from it.
    func setVersion(
        _ chunk: ChunkID, in partition: PartitionID, _ stamp: ChunkWrite.Stamp
    ) throws(ChunkStoreError) {
        try latch.check()
        guard case (var header, let checksums)? = try lookUp(chunk, in: partition) else { throw .noChunk }
        header.version = stamp.version
        header.sequence = stamp.sequence
        cache.find(chunk)?.header = header
        var batch = WriteBatch()
        batch.put(
            IndexKey.header(chunk, in: partition), header.encoded(inlineChecksums: header.isFile ? [] : checksums))
        try index.commit(batch)
    }
}
