import Glibc

/// The memory of cache blocks: pieces of 4 KiB to 128 KiB, in powers of two, each a whole number of the machine's pages.
///
/// A general allocator cannot bound what it holds: between pieces of several sizes that come and go it keeps gaps, which
/// grew a cache of 256 MiB to 415. Here a piece that was given back is taken again by the next block of its size, and
/// all but `spareBytesMax` of what waits for that has been returned to the kernel (its addresses stay ours). So the
/// resident bytes are those of the blocks in use, and `spareBytesMax` at most. On the client's loop.
final class BlockMemory {
    private static let smallestLog2 = 12
    private static let classCount = 6
    /// Addresses are taken from the kernel in regions of this size, each for one size of pieces.
    private static let regionBytes = 4 << 20
    /// Faulting fresh pages in costs more than the copy into them, so some memory stays at hand.
    static let spareBytesMax = 8 << 20

    private var regions: [UnsafeMutableRawPointer] = []
    /// Per size: pieces that are resident, and pieces whose pages the kernel has back.
    private var warm: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: classCount)
    private var cold: [[UnsafeMutableRawPointer]] = Array(repeating: [], count: classCount)
    private(set) var spareBytes = 0

    deinit { for region in regions { munmap(region, BlockMemory.regionBytes) } }

    /// A piece of exactly `byteCount` bytes, a power of two from 4 KiB to 128 KiB; its content is arbitrary.
    func take(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = BlockMemory.sizeClass(byteCount)
        if let piece = warm[size].popLast() {
            spareBytes -= byteCount
            return piece
        }
        if cold[size].isEmpty { addRegion(to: size, byteCount) }
        return cold[size].removeLast()
    }

    /// `piece` came from `take(byteCount)` and is used no more.
    func give(_ piece: UnsafeMutableRawPointer, _ byteCount: Int) {
        let size = BlockMemory.sizeClass(byteCount)
        if spareBytes + byteCount <= BlockMemory.spareBytesMax {
            spareBytes += byteCount
            warm[size].append(piece)
        } else {
            // It cannot fail for a range that is mapped; if it did, the piece would only stay resident.
            madvise(piece, byteCount, MADV_DONTNEED)
            cold[size].append(piece)
        }
    }

    private static func sizeClass(_ byteCount: Int) -> Int {
        let size = byteCount.trailingZeroBitCount - smallestLog2
        precondition(byteCount.nonzeroBitCount == 1 && (0..<classCount).contains(size), "no size of a block")
        return size
    }

    private func addRegion(to size: Int, _ byteCount: Int) {
        let region = mmap(
            nil, BlockMemory.regionBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let region, region != MAP_FAILED else { fatalError("out of memory: \(String(cString: strerror(errno)))") }
        // A huge page would make a whole region resident for its first piece.
        madvise(region, BlockMemory.regionBytes, MADV_NOHUGEPAGE)
        regions.append(region)
        for offset in stride(from: BlockMemory.regionBytes - byteCount, through: 0, by: -byteCount) {
            cold[size].append(region + offset)
        }
    }
}
