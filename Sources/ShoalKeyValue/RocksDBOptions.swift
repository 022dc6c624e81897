/// What one RocksDB may use. Memory is at most about `blockCacheBytes + memtableBytes * memtablesMax`, plus 1 MiB or so
/// per hundred open files.
package struct RocksDBOptions: Sendable {
    /// Blocks, filters and indexes of table files; nothing of them lives outside this cache.
    package var blockCacheBytes: Int
    /// One memtable; a full one is flushed in the background while the next fills.
    package var memtableBytes: Int
    /// Memtables, the one being filled included; when all are full, commits wait.
    package var memtablesMax: Int
    package var openFilesMax: Int
    /// Flush memtables when the logs exceed this, which bounds the time that a start takes to replay them.
    package var logBytesMax: Int
    /// Values of at least this many bytes go to blob files, so that compaction does not copy them again and again; nil
    /// for none.
    package var blobBytesMin: Int?
    /// Threads that flush and compact.
    package var backgroundJobs: Int

    package init(
        blockCacheBytes: Int = 64 << 20, memtableBytes: Int = 16 << 20, memtablesMax: Int = 3, openFilesMax: Int = 128,
        logBytesMax: Int = 128 << 20, blobBytesMin: Int? = nil, backgroundJobs: Int = 2
    ) {
        self.blockCacheBytes = blockCacheBytes
        self.memtableBytes = memtableBytes
        self.memtablesMax = memtablesMax
        self.openFilesMax = openFilesMax
        self.logBytesMax = logBytesMax
        self.blobBytesMin = blobBytesMin
        self.backgroundJobs = backgroundJobs
    }

    /// Small records, point lookups and short scans.
    package static let metadata = RocksDBOptions()
    /// Small chunks are values of up to 64 KiB; those of 2 KiB and more are worth a blob.
    package static let chunkIndex = RocksDBOptions(blobBytesMin: 2048)
}
