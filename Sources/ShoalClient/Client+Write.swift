import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// Where a write goes.
    package enum WritePlace: Sendable {
        case at(UInt64)
        /// O_APPEND: the end of the file, decided under the write lease.
        case end
    }

    /// Buffers `bytes`, which are valid during the call only. Completes when every mount can see them; they are on the
    /// nodes after a `flush`, and on disks after an `fsync`. Waits while too many bytes are dirty.
    ///
    /// Completes with fewer bytes only where the longest possible file ends; past it with `.fileTooLarge`.
    package func write(
        _ id: InodeID, _ place: WritePlace, _ bytes: UnsafeRawBufferPointer, by writer: Writer = .privileged,
        completion: @escaping Completion<Int>
    ) {
        let inode = inodes.inode(id)
        let extent = extent(of: place, bytes.count, inode)
        if inode.grant.allows(.write, of: extent), !inode.isHeldUp, inode.waiters.isEmpty, metadata.leasesAreUsable,
            takesNoPrivileges(inode, writer),
            let range = validated(place, bytes.count, inode), edgesAreCached(range, of: inode),
            range.isEmpty || !mustReserve(range.upperBound, of: inode), !kernelPagesAreInTheWay(of: range, inode)
        {
            let fitting = UnsafeRawBufferPointer(rebasing: bytes[..<range.count])
            return store(fitting, at: range.lowerBound, inode, completion)
        }
        writeLeased(Array(bytes), place, inode, extent, writer, completion)
    }

    private func writeLeased(
        _ copy: [UInt8], _ place: WritePlace, _ inode: Inode, _ extent: LeaseExtent, _ writer: Writer,
        _ completion: @escaping Completion<Int>
    ) {
        withLease(.write, on: inode, extent: extent, failure: { completion(.failure($0)) }) { [self] done in
            let finish: Completion<Int> = { result in
                completion(result)
                done()
            }
            // To take the file's privileges away, parts of others are asked back: not while this mount has one itself.
            if inode.grant.mode == .part, !takesNoPrivileges(inode, writer) {
                done()
                return writeLeased(copy, place, inode, .whole, writer, completion)
            }
            let sequence = inode.grant.sequence
            dropPrivileges(of: inode, for: writer) { [self] result in
                switch result {
                case .success: storeWithEdges(copy, place, inode, sequence, finish)
                case .failure(let error): finish(.failure(error))
                }
            }
        }
    }

    private func takesNoPrivileges(_ inode: Inode, _ writer: Writer) -> Bool {
        hasNoCapability(inode) && writer.permissionsLeft(inode.attributes) == nil
    }

    /// The chunks that a write needs; of an append, which decides how long the file is, all.
    private func extent(of place: WritePlace, _ count: Int, _ inode: Inode) -> LeaseExtent {
        guard case .at(let offset) = place else { return .whole }
        return extent(at: offset, count, of: inode)
    }

    /// Stores once the pages at the edges are cached; where the end of the file is, is asked after that.
    /// - Parameter keepsKernelPages: the kernel itself sees to it that its pages have these bytes, or go.
    func storeWithEdges(
        _ bytes: [UInt8], _ place: WritePlace, _ inode: Inode, _ sequence: LeaseSequence,
        keepsKernelPages: Bool = false, _ completion: @escaping Completion<Int>
    ) {
        let again = { [self] in
            storeWithEdges(
                bytes, place, inode, sequence, keepsKernelPages: keepsKernelPages, completion)
        }
        // When the session ended while the edges were fetched, what they hold is no longer ours to write back.
        guard inode.grant.mode.allowsWriting, inode.grant.sequence == sequence else {
            return completion(.failure(.inputOutput))
        }
        guard let range = validated(place, bytes.count, inode) else { return completion(.failure(.fileTooLarge)) }
        guard range.isEmpty || !mustReserve(range.upperBound, of: inode) else {
            return reserve(upTo: range.upperBound, for: inode) { result in
                if case .failure(let error) = result { return completion(.failure(error)) }
                again()
            }
        }
        guard edgesAreCached(range, of: inode) else {
            return withEdges(range, of: inode, failure: { completion(.failure($0)) }, again)
        }
        if !keepsKernelPages, kernelPagesAreInTheWay(of: range, inode) {
            return withoutKernelPages(of: inode, again)
        }
        bytes.withUnsafeBytes {
            store(UnsafeRawBufferPointer(rebasing: $0[..<range.count]), at: range.lowerBound, inode, completion)
        }
    }

    /// Where the bytes go: as many as fit into the longest possible file; nil if none do.
    private func validated(_ place: WritePlace, _ count: Int, _ inode: Inode) -> Range<UInt64>? {
        let offset: UInt64
        switch place {
        case .at(let given): offset = given
        case .end: offset = inode.attributes.size
        }
        let bound = inode.attributes.sizeMax
        guard offset < bound || count == 0 else { return nil }
        return offset..<offset + min(UInt64(count), bound - min(offset, bound))
    }

    /// The pages that `range` covers only in part, and that hold bytes of the file: they must be read before they are
    /// written.
    private func partialPages(_ range: Range<UInt64>, of inode: Inode) -> [Range<UInt64>] {
        let page = UInt64(CacheBlock.pageBytes)
        let size = inode.attributes.size
        let first = range.lowerBound / page * page
        let last = range.upperBound / page * page
        var pages: [Range<UInt64>] = []
        if range.lowerBound != first, first < size { pages.append(first..<min(first + page, size)) }
        if range.upperBound != last, last < size, last != first || range.lowerBound == first, range.upperBound < size {
            pages.append(last..<min(last + page, size))
        }
        return pages
    }

    private func edgesAreCached(_ range: Range<UInt64>, of inode: Inode) -> Bool {
        partialPages(range, of: inode).allSatisfy { page in
            let index = page.lowerBound / UInt64(CacheBlock.bytes)
            let number = Int(page.lowerBound - index * UInt64(CacheBlock.bytes)) / CacheBlock.pageBytes
            return (inode.blocks[index]?.valid ?? 0) & CacheBlock.mask(number..<number + 1) != 0
        }
    }

    private func withEdges(
        _ range: Range<UInt64>, of inode: Inode, failure: @escaping (FileError) -> Void, _ body: @escaping () -> Void
    ) {
        let pages = partialPages(range, of: inode)
        guard let first = pages.first else { return body() }
        withPages(first, of: inode, failure: failure) { [self] in
            guard pages.count > 1, let head = inode.blocks[first.lowerBound / UInt64(CacheBlock.bytes)] else {
                return body()
            }
            // Stays until the second is there: a cache that is full of dirty blocks has room for one of them only.
            head.pins += 1
            let failed: (FileError) -> Void = { error in
                head.pins -= 1
                failure(error)
            }
            withPages(pages[1], of: inode, failure: failed) {
                body()
                head.pins -= 1
            }
        }
    }

    /// Copies into the cache, under the write lease, with the edge pages cached.
    private func store(
        _ bytes: UnsafeRawBufferPointer, at offset: UInt64, _ inode: Inode, _ completion: @escaping Completion<Int>
    ) {
        if let error = inode.writeError,
            error == .noSpace || error == .quota || cache.dirtyBytes >= limits.dirtyBytesMax
        {
            // The nodes refused what was written before: do not pretend that more will fit.
            return retryRefused(inode, error, completion)
        }
        guard !bytes.isEmpty else { return completion(.success(0)) }
        let end = offset + UInt64(bytes.count)
        // What they have around the new bytes must not be evicted for the blocks in between.
        let head = inode.blocks[offset / UInt64(CacheBlock.bytes)]
        let tail = inode.blocks[(end - 1) / UInt64(CacheBlock.bytes)]
        head?.pins += 1
        tail?.pins += 1
        defer {
            head?.pins -= 1
            tail?.pins -= 1
        }
        var position = offset
        while position < end {
            let index = position / UInt64(CacheBlock.bytes)
            let start = Int(position - index * UInt64(CacheBlock.bytes))
            let stop = Int(min(end - index * UInt64(CacheBlock.bytes), UInt64(CacheBlock.bytes)))
            let source = UnsafeRawBufferPointer(
                rebasing: bytes[Int(position - offset)..<Int(position - offset) + stop - start])
            store(source, in: index, start..<stop, inode)
            position += UInt64(stop - start)
        }
        attributesChanged(inode)
        let now = scheduler.wallClock
        inode.attributes.size = max(inode.attributes.size, end)
        inode.attributes.modifyTime = now
        inode.attributes.changeTime = now
        inode.needsCommit = true
        startWriteBehind(of: inode)
        guard cache.dirtyBytes >= limits.dirtyBytesMax else { return completion(.success(bytes.count)) }
        let count = bytes.count
        flushEarly(inode)
        dirtyWaiters.append { completion(.success(count)) }
    }

    private func store(_ bytes: UnsafeRawBufferPointer, in index: UInt64, _ range: Range<Int>, _ inode: Inode) {
        let pageBytes = CacheBlock.pageBytes
        let pages = range.lowerBound / pageBytes..<(range.upperBound + pageBytes - 1) / pageBytes
        let block = block(index, of: inode, pages: pages.upperBound)
        let isHeadNew =
            range.lowerBound % pageBytes != 0
            && block.valid & CacheBlock.mask(pages.lowerBound..<pages.lowerBound + 1) == 0
        let tailPage = pages.upperBound - 1
        let isTailNew = range.upperBound % pageBytes != 0 && block.valid & CacheBlock.mask(tailPage..<tailPage + 1) == 0
        // Pages without content so far are zeros around what is written.
        if isHeadNew { zero(block.page(pages.lowerBound)) }
        if isTailNew, !(isHeadNew && tailPage == pages.lowerBound) { zero(block.page(tailPage)) }
        (block.memory + range.lowerBound).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
        let mask = CacheBlock.mask(pages)
        cache.dirtyBytes += (mask & ~block.dirty).nonzeroBitCount * pageBytes
        block.valid |= mask
        block.dirty |= mask
        inode.dirtyBlocks.insert(index)
        cache.touch(block, range)
    }

    private func zero(_ page: UnsafeMutableRawBufferPointer) {
        page.initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// After the nodes ran full: tries once more to write back what is dirty, and fails the write if that fails.
    private func retryRefused(_ inode: Inode, _ error: FileError, _ completion: @escaping Completion<Int>) {
        flush(inode) { result in
            switch result {
            case .success: completion(.failure(error))
            case .failure(let still): completion(.failure(still))
            }
        }
    }
}
