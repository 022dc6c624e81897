import ShoalKeyValue
import ShoalTypes
import Synchronization

/// The owner of the chunks that hash to it. Not safe for two calls at a time; it stops the program if that happens.
final class Shard: @unchecked Sendable {
    // One call at a time, checked by `isOccupied`; a caller that moves between threads synchronises by it, too.
    private let isOccupied = Atomic(false)
    let number: Int
    let index: ChunkIndex
    let files: ChunkFiles
    let latch: FailureLatch
    let space: SpaceGauge
    let unlinks: PendingUnlinks
    let syncer: Syncer
    let limits: ChunkStoreLimits
    let report: @Sendable (ChunkStoreEvent) -> Void
    var cache: OpenChunkCache
    /// Chunks that this shard has added less those it has removed, since the store was made: may be negative, since the
    /// number of shards may change between runs. The sum over all shards is the number of chunks.
    private let added: Atomic<Int64>

    var dirty: DirtyTable { syncer.dirty }
    var chunksAdded: Int64 { added.load(ordering: .relaxed) }

    init(
        number: Int, added: Int64, index: ChunkIndex, files: ChunkFiles, latch: FailureLatch, space: SpaceGauge,
        unlinks: PendingUnlinks, syncer: Syncer, limits: ChunkStoreLimits,
        report: @escaping @Sendable (ChunkStoreEvent) -> Void
    ) {
        self.number = number
        self.added = Atomic(added)
        self.index = index
        self.files = files
        self.latch = latch
        self.space = space
        self.unlinks = unlinks
        self.syncer = syncer
        self.limits = limits
        self.report = report
        cache = OpenChunkCache(max: limits.openChunksPerShardMax)
    }

    func occupied<Result>(_ body: () throws(ChunkStoreError) -> Result) throws(ChunkStoreError) -> Result {
        let wasOccupied = isOccupied.exchange(true, ordering: .acquiring)
        precondition(!wasOccupied, "two calls at a time on one shard")
        defer { isOccupied.store(false, ordering: .releasing) }
        return try body()
    }

    /// Adds the new count of chunks to the batch that adds or removes one.
    func count(_ change: Int64, in batch: inout WriteBatch) {
        let sum = added.add(change, ordering: .relaxed).newValue
        batch.put(IndexKey.count(shard: number), withUnsafeBytes(of: sum.littleEndian) { Array($0) })
    }

    /// What the index has of a chunk.
    enum Stored {
        case absent
        /// A small chunk: header and block checksums.
        case inline(ChunkHeader, [UInt32])
        case file(OpenChunk)
    }

    /// - Throws: `.corrupt` if the index names a file that is not there.
    func find(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> Stored {
        if let open = cache.find(chunk) { return .file(open) }
        guard let (header, checksums) = try lookUp(chunk, in: partition) else { return .absent }
        guard header.isFile else { return .inline(header, checksums) }
        let file: (any DiskFile)?
        do throws(DiskError) {
            file = try files.open(chunk)
            // What lies past the end was written without its record surviving a crash. It must not come back when the
            // chunk grows over a hole.
            if let file, try file.length() > header.length {
                try file.truncate(to: header.length)
                try file.sync()
            }
        } catch {
            throw ChunkStoreError(error)
        }
        guard let file else {
            report(.missingFile(chunk))
            throw .corrupt(chunk, detail: "its file is missing")
        }
        let open = OpenChunk(
            chunk: chunk, partition: partition, file: file, header: header, checksums: checksums, isNew: false)
        cache.insert(open)
        return .file(open)
    }

    /// The index's records of a chunk; nil if there are none.
    func lookUp(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> (ChunkHeader, [UInt32])? {
        guard let value = try index.get(IndexKey.header(chunk, in: partition)) else { return nil }
        guard var header = value.withUnsafeBytes({ ChunkHeader($0) }) else {
            throw .corrupt(chunk, detail: "its header cannot be read")
        }
        var checksums: [UInt32] = []
        checksums.reserveCapacity(header.blockCount)
        if header.isFile {
            try index.scan(
                from: IndexKey.region(0, of: chunk, in: partition), to: IndexKey.regionsEnd(of: chunk, in: partition)
            ) { _, value in header.append(region: value, to: &checksums) }
        } else {
            value.withUnsafeBytes { header.appendInline($0, to: &checksums) }
        }
        guard checksums.count == header.blockCount else {
            throw .corrupt(chunk, detail: "\(checksums.count) checksums for \(header.blockCount) blocks")
        }
        return (header, checksums)
    }

    /// The bytes of a small chunk, without trailing zeros.
    func inlineBytes(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> [UInt8] {
        guard let bytes = try index.get(IndexKey.inline(chunk, in: partition)) else {
            throw .corrupt(chunk, detail: "its bytes are missing in the index")
        }
        return bytes
    }
}
