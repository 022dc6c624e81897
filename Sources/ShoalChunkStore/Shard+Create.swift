import ShoalKeyValue
import ShoalTypes

extension Shard {
    /// Rewrites a small chunk in the index with `write` applied; `header.length` is still the old one.
    func putInline(
        _ write: ChunkWrite, _ header: ChunkHeader, checksums: [UInt32], isNew: Bool
    ) throws(ChunkStoreError) -> Int {
        var header = header
        var checksums = checksums
        let isWhole = write.offset == 0 && write.end >= header.length
        var bytes = isWhole || isNew ? [] : try inlineBytes(write.chunk, in: write.partition)
        if isWhole {
            bytes.append(contentsOf: write.bytes)
        } else {
            if bytes.count < write.end { bytes.append(contentsOf: repeatElement(0, count: write.end - bytes.count)) }
            bytes.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[write.offset..<write.end]).copyMemory(from: write.bytes)
            }
        }
        header.holes.fill(write.blocks, oldCount: header.blockCount)
        header.length = max(header.length, write.end)
        let missing = header.blockCount - checksums.count
        checksums.append(contentsOf: repeatElement(Checksums.zero, count: missing))
        checksums.replaceSubrange(write.blocks, with: write.checksums)
        try putInline(write.chunk, in: write.partition, header, checksums: checksums, bytes: bytes, isNew: isNew)
        return header.allocatedBlocks
    }

    func putInline(
        _ chunk: ChunkID, in partition: PartitionID, _ header: ChunkHeader, checksums: [UInt32], bytes: [UInt8],
        isNew: Bool
    ) throws(ChunkStoreError) {
        var batch = WriteBatch()
        batch.put(IndexKey.header(chunk, in: partition), header.encoded(inlineChecksums: checksums))
        let trimmed = bytes.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        batch.put(IndexKey.inline(chunk, in: partition), trimmed == bytes.count ? bytes : Array(bytes[..<trimmed]))
        if isNew { count(1, in: &batch) }
        try index.commit(batch)
    }

    /// An empty file for `chunk`, after a record in the index that says so: a file without a header is then found and
    /// removed at the next start.
    private func newFile(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> any DiskFile {
        try unlinks.settle(chunk)
        var batch = WriteBatch()
        batch.put(IndexKey.file(chunk, in: partition), FileRecord.creating.encoded)
        try index.commit(batch)
        return try diskCall { () throws(DiskError) in try files.create(chunk) }
    }

    /// A new chunk that starts as a file. Nothing of it is synced: its records, its marks and its 'creating' record
    /// survive a crash together or not at all.
    func createFile(_ header: ChunkHeader, _ write: ChunkWrite) throws(ChunkStoreError) -> Int {
        let file = try newFile(write.chunk, in: write.partition)
        let open = OpenChunk(
            chunk: write.chunk, partition: write.partition, file: file, header: header, checksums: [], isNew: true)
        let allocated: Int
        do throws(ChunkStoreError) {
            allocated = try change(open, write, isNew: true)
        } catch {
            _ = dirty.remove(write.chunk)
            try latch.check()
            try abandonFile(write.chunk, in: write.partition)
            throw error
        }
        cache.insert(open)
        return allocated
    }

    private func abandonFile(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) {
        try diskCall { () throws(DiskError) in try files.unlink(chunk) }
        var batch = WriteBatch()
        batch.delete(IndexKey.file(chunk, in: partition))
        try index.commit(batch)
    }

    /// Moves a small chunk into a file, since it is about to outgrow the index.
    ///
    /// Its bytes may have been synced, so they must be durable in the file before the index may forget them: bytes,
    /// name, and only then the batch that removes them from the index. This is the one place besides a first touch
    /// where a write waits for the disk. A chunk does so at most once, and chunks that are written in large pieces
    /// never do.
    func moveToFile(
        _ chunk: ChunkID, in partition: PartitionID, _ header: ChunkHeader, _ checksums: [UInt32]
    ) throws(ChunkStoreError) -> OpenChunk {
        let bytes = try inlineBytes(chunk, in: partition)
        let file = try newFile(chunk, in: partition)
        do throws(ChunkStoreError) {
            try diskCall { () throws(DiskError) in
                try bytes.withUnsafeBufferPointer { (bytes) throws(DiskError) in
                    try file.write(at: 0, UnsafeRawBufferPointer(bytes))
                }
                try file.truncate(to: header.length)
            }
        } catch {
            try abandonFile(chunk, in: partition)
            throw error
        }
        do throws(DiskError) { try file.sync() } catch { throw latch.fail(ChunkStoreError(error)) }
        try files.syncNames(of: [chunk])

        var header = header
        header.isFile = true
        let open = OpenChunk(
            chunk: chunk, partition: partition, file: file, header: header, checksums: checksums, isNew: false)
        var batch = WriteBatch()
        put(open, regions: Array(Checksums.regions(of: 0..<header.blockCount)), in: &batch)
        batch.delete(IndexKey.inline(chunk, in: partition))
        batch.delete(IndexKey.file(chunk, in: partition))
        try index.commit(batch)
        cache.insert(open)
        return open
    }
}

/// Why the index remembers a chunk's file: the value of a `.file` record, one byte.
enum FileRecord: UInt8 {
    /// Its name, and what the index says of it, may not be durable.
    case creating = 1
    /// Its chunk is gone; it is to be unlinked.
    case deleting = 2

    var encoded: [UInt8] { [rawValue] }
}
