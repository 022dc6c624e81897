import ShoalKeyValue
import ShoalTypes
import Synchronization

/// The chunks of one storage node: files under `data/`, and an index in RocksDB that knows every chunk, its version and
/// the checksum of each of its blocks. Chunks of at most 64 KiB live in the index itself.
///
/// Calls that name one chunk belong to its shard: one call at a time per shard, different shards in parallel (a thread
/// each). The others may be called from any thread.
///
/// What is promised after a crash: changes that a successful `sync` covered are there exactly. Of later changes, each
/// 512-byte sector holds its synced content or that of a later write, and a chunk that was never synced may be gone;
/// all of it matches its checksums. What does not match was damaged, and stays reported until it is repaired.
/// docs/formats/chunk-store.md says by which order of writes; `Syncer`, `DirtyTable`, `PendingUnlinks` and
/// `Shard.moveToFile` each keep a part of it.
package final class ChunkStore: Sendable {
    /// As a chunk's index in `sync`: every chunk of that data ID that is not synced.
    package static let everyIndex = UInt32.max

    private let shards: [Shard]
    private let index: ChunkIndex
    private let space: SpaceGauge
    private let unlinks: PendingUnlinks
    private let syncer: Syncer
    private let latch: FailureLatch
    private let directory: StoreDirectory
    private let limits: ChunkStoreLimits
    private let hasLost: Mutex<Bool>

    /// Opens the store in `directory`, whose parent must exist; makes it if there is none. After an unclean end this
    /// recovers first, which takes time in proportion to what was dirty.
    /// - Throws: `.locked`, `.badFormat`, `.inputOutput`.
    package static func open(
        directory path: String, limits: ChunkStoreLimits = .production, disk: any Disk = PosixDisk(),
        openIndex: (String) throws(KeyValueError) -> any KeyValueStore = rocksDB,
        report: @escaping @Sendable (ChunkStoreEvent) -> Void = { _ in }
    ) throws(ChunkStoreError) -> ChunkStore {
        let directory = StoreDirectory(disk: disk, path: path)
        try directory.prepare()
        let engine: any KeyValueStore
        do throws(KeyValueError) { engine = try openIndex(directory.indexPath) } catch { throw ChunkStoreError(error) }
        do throws(ChunkStoreError) {
            return try ChunkStore(directory: directory, limits: limits, engine: engine, report: report)
        } catch {
            engine.close()
            throw error
        }
    }

    /// The production index.
    package static func rocksDB(_ directory: String) throws(KeyValueError) -> any KeyValueStore {
        try RocksDBStore(directory: directory, options: .chunkIndex)
    }

    private init(
        directory: StoreDirectory, limits: ChunkStoreLimits, engine: any KeyValueStore,
        report: @escaping @Sendable (ChunkStoreEvent) -> Void
    ) throws(ChunkStoreError) {
        self.directory = directory
        self.limits = limits
        let latch = FailureLatch(report: report)
        let index = ChunkIndex(store: engine, latch: latch)
        let files = ChunkFiles(disk: directory.disk, root: directory.dataPath, latch: latch)
        let space = SpaceGauge(disk: directory.disk, directory: directory.path, limits: limits)
        let unlinks = PendingUnlinks(index: index, files: files)
        let syncer = Syncer(index: index, files: files, latch: latch, limits: limits, dirty: DirtyTable())

        let ending = try directory.begin()
        hasLost = Mutex(ending.hasLost)
        if ending.needsRecovery {
            var recovery = Recovery(index: index, files: files, latch: latch, report: report)
            try recovery.run()
        }
        let counts = try Self.counts(index)
        shards = (0..<limits.shardCount).map { number in
            Shard(
                number: number, added: counts[number] ?? 0, index: index, files: files, latch: latch, space: space,
                unlinks: unlinks, syncer: syncer, limits: limits, report: report)
        }
        strayCount = counts.filter { $0.key >= limits.shardCount }.values.reduce(0, +)
        self.index = index
        self.latch = latch
        self.space = space
        self.unlinks = unlinks
        self.syncer = syncer
    }

    /// Chunks counted by shards that a former run had and this one has not.
    private let strayCount: Int64

    private static func counts(_ index: ChunkIndex) throws(ChunkStoreError) -> [Int: Int64] {
        var counts: [Int: Int64] = [:]
        try index.scan(from: IndexKey.all(.count), to: IndexKey.end(.count)) { key, value in
            if let shard = IndexKey.decodeCount(key), value.count == 8 {
                counts[shard] = Int64(littleEndian: value.loadUnaligned(as: Int64.self))
            }
            return true
        }
        return counts
    }

    /// Nothing that any process wrote here before was lost: the store was closed cleanly, or the machine has not gone
    /// down since. False after a loss of power: replicas must be compared. It stays false, over further starts too,
    /// until `confirmLossReported`.
    package var wasShutDownCleanlyOrSameBoot: Bool { hasLost.withLock { !$0 } }

    /// The metadata server knows, durably, that this store is not intact. Without this call the next start says so
    /// again.
    package func confirmLossReported() throws(ChunkStoreError) {
        try hasLost.withLock { (hasLost) throws(ChunkStoreError) in
            guard hasLost else { return }
            try directory.note(isOpen: true, hasLost: false)
            hasLost = false
        }
    }

    // MARK: From the chunk's shard

    package var shardCount: Int { shards.count }
    /// By the upper half of the hash; the lower bits choose the partition.
    package func shard(of chunk: ChunkID) -> Int { Int((chunk.placementHash >> 32) % UInt64(shards.count)) }

    /// Reads whole blocks from `offset` into `buffer`. Returns the bytes filled, up to the end of the chunk; the rest
    /// is a hole. `checksums` becomes the stored checksums of the blocks filled. The bytes are *not* verified: whoever
    /// uses them must.
    /// - Throws: `.badRange`, `.corrupt` (its file is missing, its records cannot be read), `.inputOutput`.
    package func read(
        _ chunk: ChunkID, in partition: PartitionID, offset: Int, into buffer: UnsafeMutableRawBufferPointer,
        checksums: inout [UInt32]
    ) throws(ChunkStoreError) -> Int {
        let shard = shards[shard(of: chunk)]
        return try shard.occupied { () throws(ChunkStoreError) in
            try shard.read(chunk, in: partition, offset: offset, into: buffer, checksums: &checksums)
        }
    }

    /// Writes whole blocks, whose checksums the caller has verified. Survives the end of the process when it returns,
    /// the loss of power after a `sync`. May wait for a sync of the index (first change of a synced region), and for
    /// room.
    /// - Throws: `.noSpace`, `.badRange`, `.staleSequence`, `.corrupt`, `.inputOutput`. After an error other than the
    ///   first three nothing is known of the blocks but that they match their checksums or are reported.
    /// Returns the blocks of the chunk that take space now: the same again if the write is repeated.
    @discardableResult
    package func write(
        _ chunk: ChunkID, in partition: PartitionID, chunkBytesLog2: UInt8, offset: Int, bytes: UnsafeRawBufferPointer,
        checksums: [UInt32], version: UInt64, sequence: LeaseSequence
    ) throws(ChunkStoreError) -> Int {
        let write = ChunkWrite(
            chunk: chunk, partition: partition, chunkBytesLog2: chunkBytesLog2, offset: offset, bytes: bytes,
            checksums: checksums, stamp: ChunkWrite.Stamp(version: version, sequence: sequence))
        let shard = shards[shard(of: chunk)]
        return try shard.occupied { () throws(ChunkStoreError) in try shard.write(write) }
    }

    /// Cuts the chunk to `length`, whole blocks; 0 deletes it. If it is not longer, only version and sequence change.
    /// Returns the blocks that still take space.
    @discardableResult
    package func truncate(
        _ chunk: ChunkID, in partition: PartitionID, length: Int, version: UInt64, sequence: LeaseSequence
    ) throws(ChunkStoreError) -> Int {
        let stamp = ChunkWrite.Stamp(version: version, sequence: sequence)
        let shard = shards[shard(of: chunk)]
        return try shard.occupied { () throws(ChunkStoreError) in
            try shard.truncate(chunk, in: partition, length: length, stamp: stamp)
        }
    }

    /// Makes whole blocks a hole; their space comes back. What reaches the chunk's end is cut off. Returns the blocks
    /// that still take space. Survives what a write survives.
    @discardableResult
    package func punch(
        _ chunk: ChunkID, in partition: PartitionID, offset: Int, length: Int, version: UInt64, sequence: LeaseSequence
    ) throws(ChunkStoreError) -> Int {
        let stamp = ChunkWrite.Stamp(version: version, sequence: sequence)
        let shard = shards[shard(of: chunk)]
        return try shard.occupied { () throws(ChunkStoreError) in
            try shard.punch(chunk, in: partition, offset: offset, length: length, stamp: stamp)
        }
    }

    /// Where the chunk has data; nil if there is no such chunk.
    package func layout(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> ChunkLayout? {
        let shard = shards[shard(of: chunk)]
        return try shard.occupied { () throws(ChunkStoreError) in try shard.layout(chunk, in: partition) }
    }

    /// Removes the chunk, if it exists. Its space comes back with a later `maintain`.
    package func delete(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) {
        let shard = shards[shard(of: chunk)]
        try shard.occupied { () throws(ChunkStoreError) in try shard.delete(chunk, in: partition) }
    }

    /// nil if there is no such chunk.
    package func stat(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> ChunkRecord? {
        let shard = shards[shard(of: chunk)]
        return try shard.occupied { () throws(ChunkStoreError) in try shard.stat(chunk, in: partition) }
    }

    /// Reads the whole chunk and returns the ranges of bytes, whole blocks, that do not match their checksums.
    package func verify(_ chunk: ChunkID, in partition: PartitionID) throws(ChunkStoreError) -> [Range<Int>] {
        let shard = shards[shard(of: chunk)]
        return try shard.occupied { () throws(ChunkStoreError) in try shard.verify(chunk, in: partition) }
    }

    // MARK: Repair and resync, from the chunk's shard

    /// Writes verified blocks from another replica. Version and sequence stay (0 for a chunk that did not exist); a
    /// missing file is made anew; the reserve may be used.
    package func replaceBlocks(
        _ chunk: ChunkID, in partition: PartitionID, chunkBytesLog2: UInt8, offset: Int, bytes: UnsafeRawBufferPointer,
        checksums: [UInt32]
    ) throws(ChunkStoreError) {
        let write = ChunkWrite(
            chunk: chunk, partition: partition, chunkBytesLog2: chunkBytesLog2, offset: offset, bytes: bytes,
            checksums: checksums, stamp: nil)
        let shard = shards[shard(of: chunk)]
        _ = try shard.occupied { () throws(ChunkStoreError) in try shard.write(write) }
    }

    /// As `punch`, but version and sequence stay.
    package func replaceWithHole(
        _ chunk: ChunkID, in partition: PartitionID, offset: Int, length: Int
    ) throws(ChunkStoreError) {
        let shard = shards[shard(of: chunk)]
        _ = try shard.occupied { () throws(ChunkStoreError) in
            try shard.punch(chunk, in: partition, offset: offset, length: length, stamp: nil)
        }
    }

    /// Cuts the chunk to `length` if it is longer, to that of another replica; version and sequence stay.
    package func replaceLength(
        _ chunk: ChunkID, in partition: PartitionID, length: Int
    ) throws(ChunkStoreError) {
        let shard = shards[shard(of: chunk)]
        _ = try shard.occupied { () throws(ChunkStoreError) in
            try shard.truncate(chunk, in: partition, length: length, stamp: nil)
        }
    }

    /// Sets version and sequence exactly, also backwards, after the content has been made equal to another replica's.
    /// - Throws: `.noChunk` if there is none.
    package func setVersion(
        _ chunk: ChunkID, in partition: PartitionID, version: UInt64, sequence: LeaseSequence
    ) throws(ChunkStoreError) {
        let stamp = ChunkWrite.Stamp(version: version, sequence: sequence)
        let shard = shards[shard(of: chunk)]
        try shard.occupied { () throws(ChunkStoreError) in try shard.setVersion(chunk, in: partition, stamp) }
    }

    // MARK: From any thread

    /// Returns when every change of these chunks that had been made before is durable, deletions included. Concurrent
    /// calls share their work. A chunk whose index is `everyIndex` stands for every chunk of its data ID.
    /// - Throws: `.inputOutput`; from then on every write and sync throws it.
    package func sync(_ chunks: [(ChunkID, PartitionID)]) throws(ChunkStoreError) {
        try syncer.sync(chunks.map(\.0))
    }

    /// Up to `limit` chunks of a partition, in order, from the one that follows `after`.
    package func scan(
        _ partition: PartitionID, after: ChunkID?, limit: Int
    ) throws(ChunkStoreError) -> [ChunkRecord] {
        try index.records(partition, after: after, limit: limit)
    }

    /// The chunks of a data ID with an index in `indices`, as far as they are in `partitions`, ascending; at most about
    /// `limit` of them.
    package func list(
        _ data: DataID, _ indices: Range<UInt32>, in partitions: [PartitionID], limit: Int
    ) throws(ChunkStoreError) -> ChunkList {
        try index.list(data, indices, in: partitions, limit: limit)
    }

    package func usage() throws(ChunkStoreError) -> ChunkStoreUsage {
        let space = try space.usage()
        let chunks = shards.reduce(strayCount) { $0 + $1.chunksAdded }
        return ChunkStoreUsage(bytesTotal: space.bytesTotal, bytesFree: space.bytesFree, chunks: UInt64(max(0, chunks)))
    }

    /// Background work, to be called about once a second by the thread that syncs: syncs chunks that have been idle,
    /// clears their marks, unlinks files of deleted chunks; a bounded step of it. True if there is more to do now: let
    /// waiting syncs go first, then call again.
    package func maintain(now: MonotonicInstant) throws(ChunkStoreError) -> Bool {
        try latch.check()
        let hasMoreIdle = try syncer.clearIdle(now: now)
        if unlinks.count > 0 { try index.syncAll() }
        let hasMoreUnlinks = try unlinks.run(max: limits.chunksPerStep)
        return hasMoreIdle || hasMoreUnlinks
    }

    /// Shuts down cleanly: syncs everything, clears every mark, notes that nothing needs recovery. No other call may be
    /// under way, and none may follow. After an error the store counts as not closed, and the next start recovers it.
    package func close() throws(ChunkStoreError) {
        defer { index.store.close() }
        try syncer.syncAll()
        try syncer.clear(nil)
        try index.syncAll()
        while try unlinks.run(max: limits.chunksPerStep) {}
        try index.syncAll()
        try directory.note(isOpen: false, hasLost: hasLost.withLock { $0 })
    }

    /// Lets go of the files without a clean shutdown, as the end of the process would: the next start recovers. No
    /// other call may be under way, and none may follow.
    package func abandon() { index.store.close() }
}
