import ShoalTypes

/// Every bound of a chunk store.
package struct ChunkStoreLimits: Sendable {
    /// Parallel owners of chunks. Each adds open files and a thread of the node.
    package var shardCount: Int
    /// Chunks of at most this many bytes live in the index: a tiny file costs one put, not a file.
    package var inlineBytesMax: Int
    /// Open chunk files per shard: a descriptor each, and 4 bytes of memory for every 4 KiB block.
    package var openChunksPerShardMax: Int
    /// Chunks with unsynced bytes or a dirty mark. Each holds a descriptor, and a start after a crash reads its marked
    /// regions, so this bounds both the descriptors and the recovery time.
    package var dirtyChunksMax: Int
    /// A chunk that nobody has written for so long is synced and its marks cleared.
    package var markIdle: Interval
    /// Files of deleted chunks that wait for the deletion to be durable; past it `delete` does the work itself.
    package var unlinksMax: Int
    /// Files unlinked, and idle chunks synced, in one step of the maintenance: each may cost a flush of the disk, and a
    /// client's sync waits for the step that is under way.
    package var chunksPerStep: Int
    /// Space kept back from clients so that repair, and the index's compaction, can always go on: the larger of a share
    /// of the disk and a number of bytes.
    package var reserveDivisor: UInt64
    package var reserveBytesMin: UInt64
    /// Ask the filesystem for its free space again after writing this much.
    package var spacePollBytes: UInt64

    package init(
        shardCount: Int, inlineBytesMax: Int, openChunksPerShardMax: Int, dirtyChunksMax: Int, markIdle: Interval,
        unlinksMax: Int, chunksPerStep: Int, reserveDivisor: UInt64, reserveBytesMin: UInt64, spacePollBytes: UInt64
    ) {
        self.shardCount = shardCount
        self.inlineBytesMax = inlineBytesMax
        self.openChunksPerShardMax = openChunksPerShardMax
        self.dirtyChunksMax = dirtyChunksMax
        self.markIdle = markIdle
        self.unlinksMax = unlinksMax
        self.chunksPerStep = chunksPerStep
        self.reserveDivisor = reserveDivisor
        self.reserveBytesMin = reserveBytesMin
        self.spacePollBytes = spacePollBytes
        checkRelations()
    }

    /// At most 4 * 64 + 256 + 128 (RocksDB) descriptors: fits the usual limit of 1024 and leaves room for sockets.
    package static let production = ChunkStoreLimits(
        shardCount: 4, inlineBytesMax: 64 << 10, openChunksPerShardMax: 64, dirtyChunksMax: 256, markIdle: .seconds(5),
        unlinksMax: 16384, chunksPerStep: 32, reserveDivisor: 100, reserveBytesMin: 64 << 20,
        spacePollBytes: 16 << 20)

    /// Small enough that every bound is met within a few operations.
    package static let simulation = ChunkStoreLimits(
        shardCount: 2, inlineBytesMax: 64 << 10, openChunksPerShardMax: 2, dirtyChunksMax: 3, markIdle: .seconds(1),
        unlinksMax: 3, chunksPerStep: 2, reserveDivisor: 100, reserveBytesMin: 1 << 20, spacePollBytes: 64 << 10)

    private func checkRelations() {
        precondition(shardCount > 0 && openChunksPerShardMax > 0 && dirtyChunksMax > 0)
        precondition(unlinksMax > 0 && chunksPerStep > 0 && reserveDivisor > 0)
        precondition(inlineBytesMax % Geometry.blockBytes == 0, "small chunks are whole blocks")
        precondition(inlineBytesMax <= 1 << Int(Geometry.chunkBytesLog2Range.lowerBound), "every chunk may start small")
        precondition(spacePollBytes <= reserveBytesMin, "writes between two polls must fit the reserve")
    }
}
