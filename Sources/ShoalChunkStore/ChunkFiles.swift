import Glibc
import ShoalTypes
import Synchronization

/// Where chunk files are: `data/<2 hex>/<2 hex>/<dataID>-<index>`. The digits come from a hash of the data ID and
/// `index / 1024`, so that the chunks of one file share a directory (one directory sync for all of them) and no
/// directory grows past a few thousand names while there are fewer than some hundred million chunks.
final class ChunkFiles: Sendable {
    let disk: any Disk
    private let root: String
    /// Directories that have got a new subdirectory since they were last synced.
    private let unsynced = Mutex<Set<String>>([])

    private let nameSyncs = GroupCommit<ChunkID>()
    private let latch: FailureLatch

    init(disk: any Disk, root: String, latch: FailureLatch) {
        self.disk = disk
        self.root = root
        self.latch = latch
    }

    private func fanOut(_ chunk: ChunkID) -> (first: String, second: String) {
        let hash = ChunkID(data: chunk.data, index: chunk.index >> 10).placementHash
        func digits(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
        return (digits(UInt8(truncatingIfNeeded: hash)), digits(UInt8(truncatingIfNeeded: hash >> 8)))
    }

    func directory(of chunk: ChunkID) -> String {
        let (first, second) = fanOut(chunk)
        return "\(root)/\(first)/\(second)"
    }

    func path(of chunk: ChunkID) -> String { "\(directory(of: chunk))/\(chunk.data)-\(chunk.index)" }

    /// nil if there is none.
    func open(_ chunk: ChunkID) throws(DiskError) -> (any DiskFile)? {
        do throws(DiskError) {
            return try disk.open(path(of: chunk), create: false)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    /// An empty new file. Its name is durable after `syncNames(of:)`.
    func create(_ chunk: ChunkID) throws(DiskError) -> any DiskFile {
        do throws(DiskError) {
            return try disk.open(path(of: chunk), create: true)
        } catch {
            if error.errno == EEXIST { return try replace(chunk) }
            guard error.errno == ENOENT else { throw error }
        }
        let (first, second) = fanOut(chunk)
        // Under the lock: whoever finds the new directory and syncs a name in it must also find its parent in the set.
        try unsynced.withLock { (unsynced) throws(DiskError) in
            try disk.makeDirectory("\(root)/\(first)")
            try disk.makeDirectory("\(root)/\(first)/\(second)")
            unsynced.formUnion([root, "\(root)/\(first)"])
        }
        return try disk.open(path(of: chunk), create: true)
    }

    /// In place of a file that nothing knows of: a loss of power kept its name and lost its record. Its bytes must not
    /// be found again under the new record, so that its end is made durable first.
    private func replace(_ chunk: ChunkID) throws(DiskError) -> any DiskFile {
        try disk.unlink(path(of: chunk))
        try disk.syncDirectory(directory(of: chunk))
        return try disk.open(path(of: chunk), create: true)
    }

    func unlink(_ chunk: ChunkID) throws(DiskError) { try disk.unlink(path(of: chunk)) }

    /// Makes the names of these chunks' files durable, and the directories on the way to them.
    func syncNames(of chunks: [ChunkID]) throws(ChunkStoreError) {
        try nameSyncs.join(chunks) { (chunks) throws(ChunkStoreError) in
            let parents = unsynced.withLock { unsynced in
                defer { unsynced = [] }
                return unsynced
            }
            do throws(DiskError) {
                for directory in parents.union(chunks.map(directory(of:))).sorted() {
                    try disk.syncDirectory(directory)
                }
            } catch {
                throw latch.fail(ChunkStoreError(error))
            }
        }
    }

    /// After a start without a clean end: directories that exist may never have been synced into their parents.
    func syncFanOut() throws(ChunkStoreError) {
        do throws(DiskError) {
            for name in try disk.list(root).sorted() { try disk.syncDirectory("\(root)/\(name)") }
            try disk.syncDirectory(root)
        } catch {
            throw latch.fail(ChunkStoreError(error))
        }
    }
}
