import ShoalRPC
import ShoalTypes

extension Client {
    /// Fetches the pages of `range` (file offsets, any) that are neither cached nor on their way, a request for each
    /// run of up to `Geometry.requestBytesMax` within a chunk. Blocks wake their waiters as they arrive.
    /// - Parameter failed: called for each request that fails.
    func fetch(_ range: Range<UInt64>, of inode: Inode, failed: @escaping (FileError) -> Void) {
        let page = UInt64(CacheBlock.pageBytes)
        let end = (min(range.upperBound, inode.attributes.size) + page - 1) / page * page
        var run: Range<UInt64>?
        var offset = range.lowerBound / page * page
        while offset < end {
            let index = offset / UInt64(CacheBlock.bytes)
            let blockStart = index * UInt64(CacheBlock.bytes)
            let blockEnd = min(blockStart + UInt64(CacheBlock.bytes), end)
            let first = Int((offset - blockStart) / page)
            let pages = Int((blockEnd - blockStart) / page)
            let block = block(index, of: inode, pages: pages)
            for number in first..<pages {
                let bit = CacheBlock.mask(number..<number + 1)
                let start = blockStart + UInt64(number) * page
                guard (block.valid | block.fetching) & bit == 0 else {
                    flushRun(&run, of: inode, failed)
                    continue
                }
                block.fetching |= bit
                if let current = run, current.upperBound == start, mayExtend(current, of: inode) {
                    run = current.lowerBound..<start + page
                } else {
                    flushRun(&run, of: inode, failed)
                    run = start..<start + page
                }
            }
            offset = blockEnd
        }
        flushRun(&run, of: inode, failed)
    }

    private func mayExtend(_ run: Range<UInt64>, of inode: Inode) -> Bool {
        let length = run.upperBound - run.lowerBound
        let chunkMask = inode.attributes.chunkBytes - 1
        return length < UInt64(Geometry.requestBytesMax) && run.upperBound & chunkMask != 0
    }

    private func flushRun(_ run: inout Range<UInt64>?, of inode: Inode, _ failed: @escaping (FileError) -> Void) {
        guard let range = run else { return }
        run = nil
        let place = chunk(at: range.lowerBound, of: inode)
        let part = ChunkReader.Part(
            chunk: place.chunk, offset: place.offset, length: Int(range.upperBound - range.lowerBound),
            minimumEpoch: inode.grant.minimumEpoch)
        let generation = inode.generation
        let blocks = blocks(in: range, of: inode)
        for block in blocks { block.pins += 1 }
        guard place.chunk.data != .none else {
            // Nothing was ever written: the whole of it is a hole.
            scheduler.schedule(after: .milliseconds(0)) { [self] in
                arrived(
                    .success(UnsafeRawBufferPointer(start: nil, count: 0)), range, blocks, inode, generation, failed)
            }
            return
        }
        reader.read(part) { [self] result in arrived(result, range, blocks, inode, generation, failed) }
    }

    private func blocks(in range: Range<UInt64>, of inode: Inode) -> [CacheBlock] {
        let bytes = UInt64(CacheBlock.bytes)
        return (range.lowerBound / bytes...(range.upperBound - 1) / bytes).compactMap { inode.blocks[$0] }
    }

    private func arrived(
        _ result: Result<UnsafeRawBufferPointer, FileError>, _ range: Range<UInt64>, _ blocks: [CacheBlock],
        _ inode: Inode, _ generation: UInt32, _ failed: (FileError) -> Void
    ) {
        for block in blocks {
            block.pins -= 1
            let start = max(range.lowerBound, block.offset)
            let end = min(range.upperBound, block.offset + UInt64(CacheBlock.bytes))
            for offset in stride(from: start, to: end, by: CacheBlock.pageBytes) {
                let page = Int(offset - block.offset) / CacheBlock.pageBytes
                let bit = CacheBlock.mask(page..<page + 1)
                block.fetching &= ~bit
                guard case .success(let bytes) = result, inode.generation == generation, block.valid & bit == 0 else {
                    continue
                }
                fill(block.page(page), from: bytes, at: Int(offset - range.lowerBound), fileOffset: offset, inode)
                block.valid |= bit
            }
        }
        if case .failure(let error) = result { failed(error) }
        for block in blocks { block.wakeWaiters() }
        cache.trim()
    }

    /// One page from what arrived: zeros where the chunk has a hole, and past the file's end.
    private func fill(
        _ page: UnsafeMutableRawBufferPointer, from bytes: UnsafeRawBufferPointer, at start: Int, fileOffset: UInt64,
        _ inode: Inode
    ) {
        let size = inode.attributes.size
        let inFile = size > fileOffset ? Int(min(UInt64(page.count), size - fileOffset)) : 0
        let present = max(0, min(page.count, bytes.count - start))
        let copied = min(present, inFile)
        if copied > 0 { page.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + copied])) }
        if copied < page.count {
            UnsafeMutableRawBufferPointer(rebasing: page[copied...]).initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    /// Runs `body` once every page of `range` is cached, fetching what is missing; nothing is evicted before `body`
    /// returns. The range ends at the file's end at the latest.
    func withPages(
        _ range: Range<UInt64>, of inode: Inode, generation: UInt32? = nil, failure: @escaping (FileError) -> Void,
        _ body: @escaping () -> Void
    ) {
        let generation = generation ?? inode.generation
        // The lease was lost: what comes now is not covered by it, and where the file ended may be wrong.
        guard inode.generation == generation, inode.grant.mode >= .part else { return failure(.inputOutput) }
        guard let missing = firstBlockMissing(in: range, of: inode) else { return body() }
        var failedWith: FileError?
        fetch(range, of: inode) { failedWith = $0 }
        // What is there stays until the rest has come: else a cache smaller than the range never has all of it.
        let pinned = blocks(in: range, of: inode)
        for block in pinned { block.pins += 1 }
        // One waiter, on the first block that is not there: when it wakes, the next missing one is waited for.
        let block = block(missing, of: inode, pages: 1)
        block.pins += 1
        block.waiters.append { [self] in
            block.pins -= 1
            if let failedWith {
                for block in pinned { block.pins -= 1 }
                return failure(failedWith)
            }
            withPages(range, of: inode, generation: generation, failure: failure, body)
            for block in pinned { block.pins -= 1 }
        }
    }

    private func firstBlockMissing(in range: Range<UInt64>, of inode: Inode) -> UInt64? {
        let bytes = UInt64(CacheBlock.bytes)
        let page = UInt64(CacheBlock.pageBytes)
        for index in range.lowerBound / bytes...(range.upperBound - 1) / bytes {
            let first = range.lowerBound > index * bytes ? Int((range.lowerBound - index * bytes) / page) : 0
            let end = Int(min(range.upperBound - index * bytes + page - 1, bytes) / page)
            let needed = CacheBlock.mask(first..<min(end, CacheBlock.pageCount))
            guard let block = inode.blocks[index], block.valid & needed == needed else { return index }
        }
        return nil
    }
}
