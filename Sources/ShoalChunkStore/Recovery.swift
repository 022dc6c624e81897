import ShoalKeyValue
import ShoalTypes

/// Brings a store back to order after it was not closed. The work is proportional to what was dirty: it reads the mark
/// and the file records of the index, and the marked regions of the files; nothing else.
///
/// - A 'deleting' record, or a 'creating' one without a file chunk in the index: the file is unlinked.
/// - A 'creating' record with a chunk whose file is missing: the chunk was never synced, and is dropped.
/// - A marked region: blocks that do not match are resealed, then the file is synced.
///
/// All that a chunk needs is one batch, after its file is durable, so recovery can itself be cut short and repeated.
struct Recovery {
    let index: ChunkIndex
    let files: ChunkFiles
    let latch: FailureLatch
    let report: @Sendable (ChunkStoreEvent) -> Void
    private var dropped = 0
    private var examined = 0
    private var resealed = 0
    private var removed = 0

    init(
        index: ChunkIndex, files: ChunkFiles, latch: FailureLatch, report: @escaping @Sendable (ChunkStoreEvent) -> Void
    ) {
        self.index = index
        self.files = files
        self.latch = latch
        self.report = report
    }

    private struct Suspect {
        var partition: PartitionID
        var chunk: ChunkID
        var regions: [Int] = []
        var record: FileRecord?
    }

    mutating func run() throws(ChunkStoreError) {
        try files.syncFanOut()
        for suspect in try suspects() { try examine(suspect) }
        try index.syncAll()
        report(
            .recovered(chunks: examined, resealedBlocks: resealed, removedFiles: removed, droppedChunks: dropped))
    }

    /// Everything with a mark or a file record, in order. Bounded by the limits of the dirty table and the pending
    /// unlinks.
    private func suspects() throws(ChunkStoreError) -> [Suspect] {
        var suspects: [ChunkID: Suspect] = [:]
        try index.scan(from: IndexKey.all(.mark), to: IndexKey.end(.mark)) { key, _ in
            if let (partition, chunk, region) = IndexKey.decode(key), let region {
                suspects[chunk, default: Suspect(partition: partition, chunk: chunk)].regions.append(region)
            }
            return true
        }
        try index.scan(from: IndexKey.all(.file), to: IndexKey.end(.file)) { key, value in
            if let (partition, chunk, _) = IndexKey.decode(key) {
                suspects[chunk, default: Suspect(partition: partition, chunk: chunk)].record =
                    value.first.flatMap(FileRecord.init(rawValue:))
            }
            return true
        }
        return suspects.values.sorted { $0.chunk < $1.chunk }
    }

    private mutating func examine(_ suspect: Suspect) throws(ChunkStoreError) {
        var batch = WriteBatch()
        for region in suspect.regions {
            batch.delete(IndexKey.mark(region, of: suspect.chunk, in: suspect.partition))
        }
        batch.delete(IndexKey.file(suspect.chunk, in: suspect.partition))

        let value = try index.get(IndexKey.header(suspect.chunk, in: suspect.partition))
        let header = value.flatMap { $0.withUnsafeBytes { ChunkHeader($0) } }
        if value != nil && header == nil { return }
        if let header, header.isFile {
            guard try examineFile(suspect, header, in: &batch) else { return }
        } else if suspect.record != nil {
            try diskCall { () throws(DiskError) in try files.unlink(suspect.chunk) }
            try files.syncNames(of: [suspect.chunk])
            removed += 1
        }
        try index.commit(batch)
    }

    /// False if the chunk is to be left as it is: corrupt.
    private mutating func examineFile(
        _ suspect: Suspect, _ header: ChunkHeader, in batch: inout WriteBatch
    ) throws(ChunkStoreError) -> Bool {
        let (chunk, partition) = (suspect.chunk, suspect.partition)
        guard let file = try diskCall({ () throws(DiskError) in try files.open(chunk) }) else {
            guard suspect.record == .creating else {
                report(.missingFile(chunk))
                return false
            }
            batch.delete(IndexKey.header(chunk, in: partition))
            for region in Checksums.regions(of: 0..<header.blockCount) {
                batch.delete(IndexKey.region(region, of: chunk, in: partition))
            }
            dropped += 1
            try uncount(in: &batch)
            return true
        }
        examined += 1
        for region in suspect.regions {
            let blocks = Checksums.blocks(ofRegion: region, blockCount: header.blockCount)
            if blocks.isEmpty { continue }
            let key = IndexKey.region(region, of: chunk, in: partition)
            var checksums: [UInt32] = []
            guard let value = try index.get(key),
                var holes = value.withUnsafeBytes({ RegionRecord.decode($0, count: blocks.count, to: &checksums) })
            else { return false }
            let changed = try diskCall { () throws(DiskError) in
                try BlockSeal.reseal(file, from: blocks.lowerBound, checksums: &checksums)
            }
            // A block that was written over a hole holds data now.
            for (block, checksum) in checksums.enumerated() where checksum != Checksums.zero {
                holes &= ~(1 << UInt64(block))
            }
            if changed > 0 { batch.put(key, RegionRecord.encoded(checksums[...], holes: holes)) }
            resealed += changed
        }
        // What has been examined may still be in the kernel only, if the process died and not the machine.
        do throws(DiskError) { try file.sync() } catch { throw latch.fail(ChunkStoreError(error)) }
        if suspect.record == .creating { try files.syncNames(of: [chunk]) }
        return true
    }

    /// Takes one chunk off the count of shard 0; only the sum over all shards means something.
    private func uncount(in batch: inout WriteBatch) throws(ChunkStoreError) {
        let key = IndexKey.count(shard: 0)
        let value = try index.get(key)
        let count = value.map { $0.withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) } } ?? 0
        batch.put(key, withUnsafeBytes(of: (count - 1).littleEndian) { Array($0) })
    }
}
