import ShoalChecksum
import ShoalTypes

/// Lists of block checksums as the index keeps them: u32 each, little-endian.
enum Checksums {
    /// Blocks whose checksums share one record: a 4 KiB write rewrites 256 bytes of index, not 4 KiB.
    static let regionBlocks = 64
    static let regionBytes = regionBlocks * Geometry.blockBytes
    /// Of a block of zeros.
    static let zero = CRC32C.zeros(Geometry.blockBytes)

    static func store(_ checksums: ArraySlice<UInt32>, to raw: UnsafeMutableRawBufferPointer, at offset: Int) {
        var position = offset
        for checksum in checksums {
            raw.storeBytes(of: checksum.littleEndian, toByteOffset: position, as: UInt32.self)
            position += 4
        }
    }

    static func encoded(_ checksums: ArraySlice<UInt32>) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: checksums.count * 4) { buffer, count in
            store(checksums, to: UnsafeMutableRawBufferPointer(buffer), at: 0)
            count = checksums.count * 4
        }
    }

    static func append(_ raw: UnsafeRawBufferPointer, to checksums: inout [UInt32]) {
        for position in stride(from: 0, to: raw.count - 3, by: 4) {
            checksums.append(UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
        }
    }

    /// CRC-32C over the list as it is stored.
    static func digest(_ checksums: [UInt32]) -> UInt32 {
        encoded(checksums[...]).withUnsafeBytes { CRC32C.checksum($0) }
    }

    /// The blocks of a chunk that region `region` covers, cut at `blockCount`.
    static func blocks(ofRegion region: Int, blockCount: Int) -> Range<Int> {
        let lower = min(region * regionBlocks, blockCount)
        return lower..<min(lower + regionBlocks, blockCount)
    }

    /// The regions that contain `blocks`.
    static func regions(of blocks: Range<Int>) -> Range<Int> {
        blocks.isEmpty ? 0..<0 : blocks.lowerBound / regionBlocks..<(blocks.upperBound - 1) / regionBlocks + 1
    }
}
