import ShoalTypes

/// Whole blocks to put into a chunk, with their checksums, which the caller has verified.
struct ChunkWrite {
    var chunk: ChunkID
    var partition: PartitionID
    var chunkBytesLog2: UInt8
    var offset: Int
    var bytes: UnsafeRawBufferPointer
    var checksums: [UInt32]
    /// What the chunk's version and sequence become; nil for a repair, which leaves them alone and may use the reserve.
    var stamp: Stamp?

    struct Stamp {
        var version: UInt64
        var sequence: LeaseSequence
    }

    var end: Int { offset + bytes.count }
    var blocks: Range<Int> { offset / Geometry.blockBytes..<end / Geometry.blockBytes }

    func check() throws(ChunkStoreError) {
        guard Geometry.chunkBytesLog2Range.contains(chunkBytesLog2), offset >= 0, offset % Geometry.blockBytes == 0,
            !bytes.isEmpty, bytes.count % Geometry.blockBytes == 0, bytes.count <= 1 << Int(chunkBytesLog2),
            end <= 1 << Int(chunkBytesLog2), checksums.count == bytes.count / Geometry.blockBytes
        else { throw .badRange }
    }
}

extension ChunkHeader {
    /// - Throws: `.badRange` if the write takes the chunk for one of another size, `.staleSequence`.
    func admit(_ write: ChunkWrite) throws(ChunkStoreError) {
        guard write.chunkBytesLog2 == chunkBytesLog2 else { throw .badRange }
        try admit(write.stamp)
    }

    /// - Throws: `.staleSequence` if the chunk has been written under a higher one.
    func admit(_ stamp: ChunkWrite.Stamp?) throws(ChunkStoreError) {
        if let stamp, stamp.sequence < sequence { throw .staleSequence(sequence) }
    }

    mutating func apply(_ stamp: ChunkWrite.Stamp?) {
        guard let stamp else { return }
        version = max(version, stamp.version)
        sequence = stamp.sequence
    }
}
