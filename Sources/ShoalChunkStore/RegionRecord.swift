import ShoalTypes

/// A region's checksums as the index keeps them: u32 each, and, only if some of its blocks are holes, a word of them
/// (u64, the lowest bit the region's first block).
enum RegionRecord {
    static func encoded(_ checksums: ArraySlice<UInt32>, holes: UInt64) -> [UInt8] {
        var bytes = Checksums.encoded(checksums)
        if holes != 0 { withUnsafeBytes(of: holes.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes
    }

    /// Appends the checksums of `count` blocks, and returns the word of holes; nil if `value` is no such record.
    static func decode(
        _ value: UnsafeRawBufferPointer, count: Int, to checksums: inout [UInt32]
    ) -> UInt64? {
        let bytes = count * 4
        guard count >= 0, value.count == bytes || value.count == bytes + 8 else { return nil }
        Checksums.append(UnsafeRawBufferPointer(rebasing: value[..<bytes]), to: &checksums)
        if value.count == bytes { return 0 }
        return UInt64(littleEndian: value.loadUnaligned(fromByteOffset: bytes, as: UInt64.self))
    }
}

extension ChunkHeader {
    /// Takes over the record of the region that follows those whose checksums are there already. False if it is no such
    /// record: there are too few checksums in the end.
    mutating func append(region value: UnsafeRawBufferPointer, to checksums: inout [UInt32]) -> Bool {
        let region = checksums.count / Checksums.regionBlocks
        let blocks = Checksums.blocks(ofRegion: region, blockCount: blockCount)
        guard blocks.lowerBound == checksums.count,
            let word = RegionRecord.decode(value, count: blocks.count, to: &checksums)
        else { return false }
        holes[region: region] = word
        return true
    }

    /// The checksums in the header of a small chunk.
    func appendInline(_ value: UnsafeRawBufferPointer, to checksums: inout [UInt32]) {
        let end = ChunkHeader.bytes + blockCount * 4
        Checksums.append(UnsafeRawBufferPointer(rebasing: value[ChunkHeader.bytes..<end]), to: &checksums)
    }
}
