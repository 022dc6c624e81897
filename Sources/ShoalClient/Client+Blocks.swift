import ShoalTypes

extension Client {
    /// The block, made if it is not cached, with memory for its first `pages` pages.
    func block(_ index: UInt64, of inode: Inode, pages: Int) -> CacheBlock {
        if let block = inode.blocks[index] {
            let grown = block.grow(pages: pages)
            block.pins += 1
            cache.grew(block, by: grown)
            block.pins -= 1
            return block
        }
        let block = CacheBlock(inode: inode, index: index, pages: pages, from: cache.memory)
        inode.blocks[index] = block
        block.pins += 1
        cache.insert(block)
        block.pins -= 1
        return block
    }

    /// Which chunk a file offset is in, and where in it.
    func chunk(at offset: UInt64, of inode: Inode) -> (chunk: ChunkID, offset: Int) {
        let log2 = UInt64(inode.attributes.chunkBytesLog2)
        let chunk = ChunkID(data: inode.attributes.data, index: UInt32(truncatingIfNeeded: offset >> log2))
        return (chunk, Int(offset & ((1 << log2) - 1)))
    }

    /// Where what the lease allows to be cached ends, at the end of the file at the latest.
    func endOfLease(_ inode: Inode) -> UInt64 {
        let size = inode.attributes.size
        guard inode.grant.mode == .part, !inode.grant.extent.hasNoEnd else { return size }
        return min(size, UInt64(inode.grant.extent.end) << UInt64(inode.attributes.chunkBytesLog2))
    }

    /// The chunks that these bytes are in; whole where the chunks of the file are not known yet, or it has no such bytes.
    func extent(at offset: UInt64, _ count: Int, of inode: Inode) -> LeaseExtent {
        guard inode.attributes.mode != 0, offset < inode.attributes.sizeMax else { return .whole }
        return LeaseExtent(offset..<offset + UInt64(count), chunkBytesLog2: inode.attributes.chunkBytesLog2)
    }

    /// Forgets every block; those being written or fetched live on in the hands of who is doing that.
    func dropBlocks(of inode: Inode) {
        guard inode.content != nil else { return }
        for block in inode.blocks.values {
            cache.dirtyBytes -= block.dirtyBytes
            block.dirty = 0
            cache.remove(block)
        }
        inode.blocks = [:]
        inode.dirtyBlocks = []
        wakeDirtyWaiters()
    }

    /// Forgets the pages at and past `size`; the rest of the page that `size` falls into becomes zeros.
    func dropBlocks(of inode: Inode, from size: UInt64) {
        guard inode.content != nil else { return }
        for (index, block) in inode.blocks where block.offset + UInt64(CacheBlock.bytes) > size {
            guard block.offset < size else {
                cache.dirtyBytes -= block.dirtyBytes
                block.dirty = 0
                cache.remove(block)
                inode.blocks.removeValue(forKey: index)
                inode.dirtyBlocks.remove(index)
                continue
            }
            let within = Int(size - block.offset)
            let firstDropped = (within + CacheBlock.pageBytes - 1) / CacheBlock.pageBytes
            let dropped = CacheBlock.mask(firstDropped..<CacheBlock.pageCount)
            cache.dirtyBytes -= (block.dirty & dropped).nonzeroBitCount * CacheBlock.pageBytes
            block.dirty &= ~dropped
            block.valid &= ~dropped
            if block.dirty == 0 { inode.dirtyBlocks.remove(index) }
            let tail = within % CacheBlock.pageBytes
            if tail > 0, block.valid & CacheBlock.mask(firstDropped - 1..<firstDropped) != 0 {
                let page = block.page(firstDropped - 1)
                UnsafeMutableRawBufferPointer(rebasing: page[tail...]).initializeMemory(as: UInt8.self, repeating: 0)
            }
        }
        wakeDirtyWaiters()
    }

    /// Gives up what has not been written, after a write-back that cannot succeed or when the file is gone.
    func discardDirty(of inode: Inode) {
        for index in inode.dirtyBlocks {
            guard let block = inode.blocks[index] else { continue }
            cache.dirtyBytes -= block.dirtyBytes
            block.valid &= ~block.dirty
            block.dirty = 0
        }
        if inode.content != nil { inode.dirtyBlocks = [] }
        inode.needsCommit = false
        wakeDirtyWaiters()
    }

    func wakeDirtyWaiters() {
        guard !dirtyWaiters.isEmpty, cache.dirtyBytes < limits.dirtyBytesMax else { return }
        let waiters = dirtyWaiters
        dirtyWaiters = []
        for waiter in waiters { waiter() }
    }
}
