/// Blocks inside a chunk's length that were never written, or were punched out: a bit each, a word for each region of
/// `Checksums.regionBlocks`. They read as zeros and have the checksum of zeros, but take no space.
package struct HoleMap: Hashable, Sendable {
    /// Word `n` is region `n`'s, its lowest bit the region's first block. No zeros at the end.
    package private(set) var words: [UInt64] = []

    package init() {}

    var isEmpty: Bool { words.isEmpty }
    package var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    package func contains(_ block: Int) -> Bool {
        self[region: block / Checksums.regionBlocks] >> UInt64(block % Checksums.regionBlocks) & 1 != 0
    }

    /// The bits of `count` blocks from `first`, 64 to a word; empty if none is a hole.
    package func words(from first: Int, _ count: Int) -> [UInt64] {
        var words = [UInt64](repeating: 0, count: (count + 63) / 64)
        for block in 0..<count where contains(first + block) { words[block / 64] |= 1 << UInt64(block % 64) }
        return words.allSatisfy { $0 == 0 } ? [] : words
    }

    subscript(region region: Int) -> UInt64 {
        get { region < words.count ? words[region] : 0 }
        set {
            guard newValue != self[region: region] else { return }
            if region >= words.count { words.append(contentsOf: repeatElement(0, count: region + 1 - words.count)) }
            words[region] = newValue
            while words.last == 0 { words.removeLast() }
        }
    }

    mutating func insert(_ blocks: Range<Int>) {
        for region in Checksums.regions(of: blocks) { self[region: region] |= Self.mask(blocks, in: region) }
    }

    mutating func remove(_ blocks: Range<Int>) {
        if isEmpty { return }
        for region in Checksums.regions(of: blocks) { self[region: region] &= ~Self.mask(blocks, in: region) }
    }

    /// A write of `blocks` to a chunk of `oldCount` blocks: what it skips past the end is a hole, what it brings is not.
    mutating func fill(_ blocks: Range<Int>, oldCount: Int) {
        if blocks.lowerBound > oldCount { insert(oldCount..<blocks.lowerBound) }
        remove(blocks)
    }

    /// Forgets the blocks from `blockCount` on.
    mutating func cut(to blockCount: Int) {
        guard words.count * Checksums.regionBlocks > blockCount else { return }
        remove(blockCount..<words.count * Checksums.regionBlocks)
    }

    /// The bits of those of `blocks` that are in the region.
    private static func mask(_ blocks: Range<Int>, in region: Int) -> UInt64 {
        let start = region * Checksums.regionBlocks
        let part = blocks.clamped(to: start..<start + Checksums.regionBlocks)
        if part.isEmpty { return 0 }
        let ones: UInt64 = part.count == 64 ? .max : (1 << UInt64(part.count)) - 1
        return ones << UInt64(part.lowerBound - start)
    }
}
