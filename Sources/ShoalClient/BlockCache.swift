/// The mount's file content in memory: counts bytes and decides which clean blocks go. Blocks belong to their inodes;
/// the cache links them in order of use, in one segment (LRU) or four (see `CachePolicy.lfu`).
final class BlockCache {
    private struct Segment {
        var bytes = 0
        unowned(unsafe) var newest: CacheBlock?
        unowned(unsafe) var oldest: CacheBlock?
    }

    let memory = BlockMemory()
    private let bytesMax: Int
    private var segments: [Segment]
    private(set) var bytes = 0
    var dirtyBytes = 0

    init(bytesMax: Int, policy: CachePolicy) {
        self.bytesMax = bytesMax
        segments = Array(repeating: Segment(newest: nil, oldest: nil), count: policy == .lru ? 1 : 4)
    }

    func insert(_ block: CacheBlock) {
        bytes += block.capacity
        link(block, segment: 0)
        trim()
    }

    /// The block was given more memory.
    func grew(_ block: CacheBlock, by count: Int) {
        guard count > 0, block.segment >= 0 else { return }
        bytes += count
        segments[block.segment].bytes += count
        trim()
    }

    /// `range` of the block was used: it moves to the front, of the next segment where the policy has several.
    ///
    /// Not where the use is the first, or goes on where the last one ended: who reads a file once, in small parts, would
    /// push its blocks to the top, and everything else out.
    func touch(_ block: CacheBlock, _ range: Range<Int>) {
        guard block.segment >= 0 else { return }
        let isAnew = block.usedUpTo.map { $0 != range.lowerBound } ?? false
        block.usedUpTo = range.upperBound
        let segment = isAnew ? min(block.segment + 1, segments.count - 1) : block.segment
        if segments[segment].newest === block { return }
        unlink(block)
        link(block, segment: segment)
        settle(from: segment)
    }

    /// Forgets the block; its inode drops it too.
    func remove(_ block: CacheBlock) {
        guard block.segment >= 0 else { return }
        unlink(block)
        bytes -= block.capacity
    }

    /// Evicts until the cache fits, from the lowest segment's oldest; what is dirty, pinned or in flight is passed
    /// over.
    func trim() {
        guard bytes > bytesMax else { return }
        for segment in segments.indices {
            var candidate = segments[segment].oldest
            while let block = candidate, bytes > bytesMax {
                candidate = block.newer
                guard block.isEvictable else { continue }
                block.inode.blocks.removeValue(forKey: block.index)
                block.inode.shed()
                remove(block)
            }
        }
    }

    /// A segment that holds more than its share hands its oldest down.
    private func settle(from segment: Int) {
        var upper = segment
        while upper > 0 {
            while segments[upper].bytes > bytesMax / segments.count, let block = segments[upper].oldest {
                unlink(block)
                link(block, segment: upper - 1)
            }
            upper -= 1
        }
    }

    private func link(_ block: CacheBlock, segment: Int) {
        block.segment = segment
        block.newer = nil
        block.older = segments[segment].newest
        block.older?.newer = block
        segments[segment].newest = block
        if segments[segment].oldest == nil { segments[segment].oldest = block }
        segments[segment].bytes += block.capacity
    }

    private func unlink(_ block: CacheBlock) {
        let segment = block.segment
        segments[segment].bytes -= block.capacity
        if let newer = block.newer { newer.older = block.older } else { segments[segment].newest = block.older }
        if let older = block.older { older.newer = block.newer } else { segments[segment].oldest = block.newer }
        block.newer = nil
        block.older = nil
        block.segment = -1
    }
}
