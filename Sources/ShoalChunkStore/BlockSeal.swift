import ShoalChecksum
import ShoalTypes

/// Gives blocks the checksums of what the disk holds. Only for blocks whose bytes carry no promise: those of a marked
/// region after a crash, or of a write that failed.
enum BlockSeal {
    /// Reads the blocks from `first`, missing bytes as zeros, and replaces those of `checksums`, one per block, that do
    /// not match. Returns how many.
    static func reseal(
        _ file: any DiskFile, from first: Int, checksums: inout [UInt32]
    ) throws(DiskError) -> Int {
        var resealed = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Checksums.regionBytes, alignment: Geometry.blockBytes)
        defer { buffer.deallocate() }
        for done in stride(from: 0, to: checksums.count, by: Checksums.regionBlocks) {
            let count = min(Checksums.regionBlocks, checksums.count - done)
            let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<(count * Geometry.blockBytes)])
            let present = try file.read(at: (first + done) * Geometry.blockBytes, into: target)
            UnsafeMutableRawBufferPointer(rebasing: target[present...]).initializeMemory(as: UInt8.self, repeating: 0)
            for block in 0..<count {
                let lower = block * Geometry.blockBytes
                let checksum = CRC32C.checksum(
                    UnsafeRawBufferPointer(rebasing: target[lower..<lower + Geometry.blockBytes]))
                if checksums[done + block] != checksum {
                    checksums[done + block] = checksum
                    resealed += 1
                }
            }
        }
        return resealed
    }
}
