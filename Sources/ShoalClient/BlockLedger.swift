import ShoalTypes

/// How many blocks of each chunk take space, as far as the holder of the write lease needs to know: so that what a node
/// answers to a change, a total of the chunk, becomes a change of the file's total, and a repeated answer changes
/// nothing.
///
/// What the file was like when the lease was granted tells most of it: a file without holes has every block below its
/// end, and no chunk has any past the reservation. Of a sparse file's other chunks a node is asked once.
struct BlockLedger {
    private var known: [UInt32: UInt32] = [:]
    /// At the grant every block below `denseBlocks` took space, and no other.
    private(set) var isDense = true
    /// A write below the end may fill a hole.
    private(set) var hasHoles = false
    private var denseBlocks: UInt64 = 0
    /// Chunks from this index on did not exist.
    private var absentFrom: UInt64 = 0
    private var chunkBlocks: UInt64 = 1

    init() {}

    /// A file as the server describes it with the lease.
    init(_ attributes: FileAttributes) {
        isDense = attributes.allocatedBytes == attributes.denseBytes
        hasHoles = !isDense
        denseBlocks = isDense ? attributes.denseBytes / UInt64(Geometry.blockBytes) : 0
        chunkBlocks = attributes.chunkBytes / UInt64(Geometry.blockBytes)
        let end = max(attributes.size, attributes.reservedSize)
        absentFrom = attributes.allocatedBytes == 0 ? 0 : (end + attributes.chunkBytes - 1) / attributes.chunkBytes
    }

    /// Blocks of chunk `index` that take space; nil if nobody has been asked yet.
    func blocks(of index: UInt32) -> UInt32? {
        if let blocks = known[index] { return blocks }
        if UInt64(index) >= absentFrom { return 0 }
        guard isDense else { return nil }
        let before = UInt64(index) * chunkBlocks
        return UInt32(before >= denseBlocks ? 0 : min(denseBlocks - before, chunkBlocks))
    }

    /// The file has got a hole under this lease.
    mutating func noteHole() { hasHoles = true }

    mutating func set(_ index: UInt32, to blocks: UInt32) { known[index] = blocks }

    /// The file has been cut to `size`: later chunks are gone.
    mutating func cut(to size: UInt64) {
        let block = UInt64(Geometry.blockBytes)
        let chunks = (size + chunkBlocks * block - 1) / (chunkBlocks * block)
        denseBlocks = min(denseBlocks, (size + block - 1) / block)
        absentFrom = min(absentFrom, chunks)
        known = known.filter { UInt64($0.key) < chunks }
    }
}
