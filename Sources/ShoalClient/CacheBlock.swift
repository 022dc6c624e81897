import ShoalTypes

/// 128 KiB of one file's content, in pages of `Geometry.blockBytes`; memory is taken for the pages in use, in powers of
/// two.
///
/// Invariants: `dirty` and `flushing` pages are `valid`; bytes past the file's end are zero; a block with dirty or
/// flushing pages, or a `pins` count, is never evicted.
final class CacheBlock {
    static let pageBytes = Geometry.blockBytes
    static let pageCount = 32
    static let bytes = pageBytes * pageCount

    unowned let inode: Inode
    let index: UInt64
    private let source: BlockMemory
    private(set) var memory: UnsafeMutableRawPointer
    private(set) var capacity: Int

    var valid: UInt32 = 0
    var dirty: UInt32 = 0
    /// Pages being written to the nodes; they may be dirtied again meanwhile.
    var flushing: UInt32 = 0
    /// Pages being fetched.
    var fetching: UInt32 = 0
    /// Operations that are about to use the block.
    var pins = 0
    /// Told when a fetch or a flush of this block ends.
    var waiters: [() -> Void] = []

    // The cache's list.
    /// Where in the block the last use of it ended; nil before the first.
    var usedUpTo: Int?
    var newer: CacheBlock?
    unowned(unsafe) var older: CacheBlock?
    var segment = -1

    init(inode: Inode, index: UInt64, pages: Int, from source: BlockMemory) {
        self.inode = inode
        self.index = index
        self.source = source
        capacity = CacheBlock.capacity(pages: pages)
        memory = source.take(capacity)
    }

    deinit { source.give(memory, capacity) }

    var isClean: Bool { dirty | flushing == 0 }
    var isEvictable: Bool { isClean && pins == 0 && fetching == 0 }
    var dirtyBytes: Int { dirty.nonzeroBitCount * CacheBlock.pageBytes }
    /// The file offset of the block's first byte.
    var offset: UInt64 { index * UInt64(CacheBlock.bytes) }

    static func capacity(pages: Int) -> Int {
        var pagesRounded = 1
        while pagesRounded < pages { pagesRounded *= 2 }
        return pagesRounded * pageBytes
    }

    /// Bits for pages `range`.
    static func mask(_ range: Range<Int>) -> UInt32 {
        guard !range.isEmpty else { return 0 }
        let width = range.count
        let ones: UInt32 = width == 32 ? .max : (1 << UInt32(width)) - 1
        return ones << UInt32(range.lowerBound)
    }

    /// Makes room for the first `pages` pages; what was there stays. Returns the bytes added.
    func grow(pages: Int) -> Int {
        let wanted = CacheBlock.capacity(pages: pages)
        guard wanted > capacity else { return 0 }
        let larger = source.take(wanted)
        larger.copyMemory(from: memory, byteCount: capacity)
        source.give(memory, capacity)
        memory = larger
        defer { capacity = wanted }
        return wanted - capacity
    }

    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + range.lowerBound, count: range.count)
    }

    func page(_ page: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: memory + page * CacheBlock.pageBytes, count: CacheBlock.pageBytes)
    }

    func wakeWaiters() {
        let woken = waiters
        waiters = []
        for waiter in woken { waiter() }
    }
}
