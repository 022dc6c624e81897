import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// What fallocate(2) does to a range.
    package enum Allocation: Sendable {
        /// The range may be written without `.noSpace`, as far as free space says so now; nothing is set aside.
        case reserve
        /// The range becomes a hole. Only with `keepsSize`.
        case punch
        /// The range becomes a hole, inside the file or as its new end.
        case zero
    }

    /// fallocate(2). Visible to every mount when it completes; durable after an `fsync`.
    ///
    /// Errors: `.fileTooLarge` past the longest file, `.noSpace`, `.quota`.
    package func allocate(
        _ id: InodeID, _ allocation: Allocation, offset: UInt64, length: UInt64, keepsSize: Bool,
        by writer: Writer = .privileged, completion: @escaping Completion<Void>
    ) {
        let inode = inodes.inode(id)
        withLease(.write, on: inode, failure: { completion(.failure($0)) }) { [self] done in
            let finish: Completion<Void> = { result in
                completion(result)
                done()
            }
            let limit = inode.attributes.sizeMax
            guard offset <= limit, length <= limit - offset else { return finish(.failure(.fileTooLarge)) }
            let range = offset..<offset + length
            dropPrivileges(of: inode, for: writer) { [self] result in
                if case .failure(let error) = result { return finish(.failure(error)) }
                allocate(allocation, range, of: inode, keepsSize: keepsSize, finish)
            }
        }
    }

    private func allocate(
        _ allocation: Allocation, _ range: Range<UInt64>, of inode: Inode, keepsSize: Bool,
        _ finish: @escaping Completion<Void>
    ) {
        guard allocation != .reserve else {
            return checkSpace(for: range, of: inode) { [self] result in
                if case .failure = result { return finish(result) }
                reserveLength(to: range.upperBound, of: inode) { [self] result in
                    if case .success = result { allocated(inode, range, keepsSize: keepsSize, makesHole: false) }
                    finish(result)
                }
            }
        }
        withExclusiveUse(of: inode, failure: { finish(.failure($0)) }) { [self] in
            let finishExclusive: Completion<Void> = { [self] result in
                if case .success = result { allocated(inode, range, keepsSize: keepsSize, makesHole: true) }
                endExclusiveUse(of: inode)
                guard case .failure = result else { return finish(result) }
                // Some of it may be done, of which the kernel does not hear.
                withoutKernelPages(of: inode) { finish(result) }
            }
            guard !keepsSize else { return punch(range, of: inode, completion: finishExclusive) }
            reserveLength(to: range.upperBound, of: inode) { [self] result in
                if case .failure = result { return finishExclusive(result) }
                punch(range, of: inode, completion: finishExclusive)
            }
        }
    }

    /// A quota counts lengths, holes too, and refuses the call, not the commit that follows. What is reserved past the
    /// end goes back when the file is closed.
    private func reserveLength(to end: UInt64, of inode: Inode, completion: @escaping Completion<Void>) {
        guard mustReserve(end, of: inode) else { return completion(.success(())) }
        reserve(upTo: end, for: inode, completion: completion)
    }

    /// Size and times after it. The modify time changes in any case, as on local disks.
    private func allocated(_ inode: Inode, _ range: Range<UInt64>, keepsSize: Bool, makesHole: Bool) {
        let now = scheduler.wallClock
        attributesChanged(inode)
        let grows = !keepsSize && range.upperBound > inode.attributes.size
        if grows || makesHole { inode.ledger.noteHole() }
        if grows { inode.attributes.size = range.upperBound }
        inode.attributes.modifyTime = now
        inode.attributes.changeTime = now
        inode.needsCommit = true
        startWriteBehind(of: inode)
    }

    /// Against the space that the whole cluster has left; what takes space already needs none.
    private func checkSpace(for range: Range<UInt64>, of inode: Inode, completion: @escaping Completion<Void>) {
        statistics(of: InodeID(0)) { result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let space):
                let attributes = inode.shownAttributes
                let isDense = attributes.allocatedBytes == attributes.denseBytes
                let start = isDense ? max(range.lowerBound, attributes.denseBytes) : range.lowerBound
                let needed = range.upperBound > start ? range.upperBound - start : 0
                completion(needed > space.bytesFree ? .failure(.noSpace) : .success(()))
            }
        }
    }

    // MARK: Holes

    /// Makes a hole: the pages at the edges get zeros, those between go. With the inode to itself.
    private func punch(_ range: Range<UInt64>, of inode: Inode, completion: @escaping Completion<Void>) {
        let page = UInt64(CacheBlock.pageBytes)
        let size = inode.attributes.size
        guard range.lowerBound < size else { return completion(.success(())) }
        // Nothing but zeros follows the end, in its page too.
        let end = range.upperBound >= size ? (size + page - 1) / page * page : range.upperBound
        let start = (range.lowerBound + page - 1) / page * page
        let inner = start..<max(end / page * page, start)
        zeroEdges(range.lowerBound..<end, of: inode) { [self] result in
            if case .failure(let error) = result { return completion(.failure(error)) }
            dropPages(inner, of: inode)
            settle(inode) { [self] result in
                if case .failure(let error) = result { return completion(.failure(error)) }
                punchPages(inner, of: inode, completion)
            }
        }
    }

    /// Writes back what is dirty, and waits until nothing about the content is under way.
    func settle(_ inode: Inode, completion: @escaping Completion<Void>) {
        writeBack(inode) { [self] in
            if let error = inode.writeError {
                inode.writeError = nil
                return completion(.failure(error))
            }
            guard inode.flushesInFlight == 0, !inode.isCommitting else {
                return waitForFlush(of: inode) { [self] in settle(inode, completion: completion) }
            }
            completion(.success(()))
        }
    }

    private func zeroEdges(_ range: Range<UInt64>, of inode: Inode, completion: @escaping Completion<Void>) {
        let page = UInt64(CacheBlock.pageBytes)
        var edges: [Range<UInt64>] = []
        let first = range.lowerBound / page * page
        let last = range.upperBound / page * page
        if range.lowerBound != first { edges.append(range.lowerBound..<min(range.upperBound, first + page)) }
        if range.upperBound != last, edges.isEmpty || last != first {
            edges.append(max(range.lowerBound, last)..<range.upperBound)
        }
        zero(edges[...], of: inode, completion)
    }

    private func zero(_ edges: ArraySlice<Range<UInt64>>, of inode: Inode, _ completion: @escaping Completion<Void>) {
        guard let edge = edges.first else { return completion(.success(())) }
        withPages(edge, of: inode, failure: { completion(.failure($0)) }) { [self] in
            let index = edge.lowerBound / UInt64(CacheBlock.bytes)
            guard let block = inode.blocks[index] else { return completion(.failure(.inputOutput)) }
            let number = Int(edge.lowerBound - block.offset) / CacheBlock.pageBytes
            let start = Int(edge.lowerBound % UInt64(CacheBlock.pageBytes))
            let bytes = UnsafeMutableRawBufferPointer(rebasing: block.page(number)[start..<start + edge.count])
            // Zeros already, as in a hole: then it stays one.
            if bytes.contains(where: { $0 != 0 }) {
                bytes.initializeMemory(as: UInt8.self, repeating: 0)
                let mask = CacheBlock.mask(number..<number + 1)
                if block.dirty & mask == 0 { cache.dirtyBytes += CacheBlock.pageBytes }
                block.dirty |= mask
                inode.dirtyBlocks.insert(index)
            }
            zero(edges.dropFirst(), of: inode, completion)
        }
    }

    /// Forgets cached pages, dirty ones too. The range is of whole pages.
    func dropPages(_ range: Range<UInt64>, of inode: Inode) {
        if range.isEmpty { return }
        for (index, block) in inode.blocks
        where block.offset < range.upperBound && block.offset + UInt64(CacheBlock.bytes) > range.lowerBound {
            let start = max(range.lowerBound, block.offset) - block.offset
            let end = min(range.upperBound - block.offset, UInt64(CacheBlock.bytes))
            let mask = CacheBlock.mask(Int(start) / CacheBlock.pageBytes..<Int(end) / CacheBlock.pageBytes)
            cache.dirtyBytes -= (block.dirty & mask).nonzeroBitCount * CacheBlock.pageBytes
            block.dirty &= ~mask
            block.valid &= ~mask
            if block.dirty == 0 { inode.dirtyBlocks.remove(index) }
        }
        inode.generation += 1
        wakeDirtyWaiters()
    }

    private func punchPages(_ range: Range<UInt64>, of inode: Inode, _ completion: @escaping Completion<Void>) {
        guard !range.isEmpty, inode.attributes.data != .none else { return completion(.success(())) }
        let chunkBytes = inode.attributes.chunkBytes
        let chunks = range.lowerBound / chunkBytes..<(range.upperBound - 1) / chunkBytes + 1
        existingChunks(of: inode, chunks) { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let indices):
                let cuts = indices.map { index in
                    let start = UInt64(index) * chunkBytes
                    let from = Int(max(range.lowerBound, start) - start)
                    let to = Int(min(range.upperBound - start, chunkBytes))
                    return ChunkCut(index: index, from: from, to: to == Int(chunkBytes) ? nil : to)
                }
                cut(inode, cuts[...], completion)
            }
        }
    }
}
