import ShoalTypes

/// A chunk file in use by its shard: what the index says of it, and its descriptor.
final class OpenChunk {
    let chunk: ChunkID
    let partition: PartitionID
    let file: any DiskFile
    var header: ChunkHeader
    /// One per block: `header.blockCount`.
    var checksums: [UInt32]
    /// Its name may not be durable yet.
    var isNew: Bool
    /// When the cache saw it last, in look-ups.
    fileprivate var lastUse: UInt64 = 0

    init(
        chunk: ChunkID, partition: PartitionID, file: any DiskFile, header: ChunkHeader, checksums: [UInt32],
        isNew: Bool
    ) {
        self.chunk = chunk
        self.partition = partition
        self.file = file
        self.header = header
        self.checksums = checksums
        self.isNew = isNew
    }
}

/// The chunk files that a shard keeps open, the least recently used given up first. Dropping one loses nothing:
/// unsynced bytes are in the kernel, and the dirty table has its own reference to the file.
struct OpenChunkCache {
    private var chunks: [ChunkID: OpenChunk] = [:]
    private var clock: UInt64 = 0
    private let max: Int

    init(max: Int) { self.max = max }

    var count: Int { chunks.count }

    mutating func find(_ chunk: ChunkID) -> OpenChunk? {
        guard let open = chunks[chunk] else { return nil }
        clock += 1
        open.lastUse = clock
        return open
    }

    mutating func insert(_ open: OpenChunk) {
        // The cache is small, and an insertion opens a file: a walk over it costs nothing beside that.
        if chunks.count >= max, let oldest = chunks.values.min(by: { $0.lastUse < $1.lastUse }) {
            chunks[oldest.chunk] = nil
        }
        clock += 1
        open.lastUse = clock
        chunks[open.chunk] = open
    }

    mutating func remove(_ chunk: ChunkID) { chunks[chunk] = nil }
}
