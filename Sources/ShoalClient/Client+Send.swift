import DequeModule
import Logging
import ShoalChecksum
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Dirty pages on their way to the nodes: at most `flushBytesInFlightMax` at once, never past the reservation, in
/// requests of contiguous pages of one chunk.
extension Client {
    func send(_ inode: Inode, onlyFull: Bool) {
        guard inode.grant.mode.allowsWriting, inode.writeError == nil else { return }
        var candidates = inode.dirtyBlocks.filter { index in
            guard let block = inode.blocks[index] else { return false }
            return block.flushing == 0 && (!onlyFull || block.dirty == .max)
        }.sorted()[...]
        guard !inode.isLearningBlocks, knowBlocks(under: candidates, inode) else { return }
        while !candidates.isEmpty {
            guard flushBytesInFlight < limits.flushBytesInFlightMax else {
                if !inode.isInFlushQueue { flushQueue.append(inode) }
                inode.isInFlushQueue = true
                return
            }
            let run = nextRun(from: &candidates, of: inode)
            let end = run.last.map { $0.block.offset + UInt64($0.pages.upperBound * CacheBlock.pageBytes) } ?? 0
            guard reservedEnough(inode, for: end) else { return reserve(max(end, inode.serverSize), for: inode) }
            sendRun(run, of: inode)
        }
    }

    /// True if it is known what the chunks take that these blocks belong to; else asks, and sends then.
    private func knowBlocks(under candidates: ArraySlice<UInt64>, _ inode: Inode) -> Bool {
        if inode.ledger.isDense { return true }
        let chunks = Set(candidates.map { chunk(at: $0 * UInt64(CacheBlock.bytes), of: inode).chunk.index })
        let unknown = chunks.filter { inode.ledger.blocks(of: $0) == nil }
        guard !unknown.isEmpty else { return true }
        inode.isLearningBlocks = true
        inode.flushesInFlight += 1
        learnBlocks(of: unknown.sorted().prefix(64), inode) { [self] result in
            inode.isLearningBlocks = false
            inode.flushesInFlight -= 1
            if case .failure(let error) = result, inode.grant.mode.allowsWriting {
                lastWriteBackFailure = scheduler.now
                inode.writeError = inode.writeError ?? error
            }
            resume(inode)
            wakeFlushWaiters(of: inode)
            if inode.writeError != nil { failDirtyWaiters() }
        }
        return false
    }

    /// Pages that travel in one request: contiguous, of one chunk.
    private struct Piece {
        let block: CacheBlock
        let pages: Range<Int>
    }

    private func nextRun(from candidates: inout ArraySlice<UInt64>, of inode: Inode) -> [Piece] {
        var run: [Piece] = []
        var bytes = 0
        while let index = candidates.first, let block = inode.blocks[index] {
            let firstPage = block.dirty.trailingZeroBitCount
            let pages = firstPage..<firstPage + (block.dirty >> UInt32(firstPage)).trailingOnes
            if let last = run.last {
                let continues =
                    last.block.index + 1 == index && last.pages.upperBound == CacheBlock.pageCount && firstPage == 0
                let isSameChunk = block.offset & (inode.attributes.chunkBytes - 1) != 0
                let fits = bytes + pages.count * CacheBlock.pageBytes <= Geometry.requestBytesMax
                guard continues, isSameChunk, fits else { break }
            }
            run.append(Piece(block: block, pages: pages))
            bytes += pages.count * CacheBlock.pageBytes
            candidates.removeFirst()
            // A block with a gap is sent in several requests, one after the other.
            if pages.upperBound < CacheBlock.pageCount { break }
        }
        return run
    }

    private func sendRun(_ run: [Piece], of inode: Inode) {
        guard let head = run.first else { return }
        var bytes = 0
        for piece in run {
            let mask = CacheBlock.mask(piece.pages)
            piece.block.flushing = mask
            piece.block.dirty &= ~mask
            cache.dirtyBytes -= piece.pages.count * CacheBlock.pageBytes
            if piece.block.dirty == 0 { inode.dirtyBlocks.remove(piece.block.index) }
            bytes += piece.pages.count * CacheBlock.pageBytes
        }
        inode.flushesInFlight += 1
        flushBytesInFlight += bytes
        inode.chunkVersion += 1
        let place = chunk(
            at: head.block.offset + UInt64(head.pages.lowerBound * CacheBlock.pageBytes), of: inode)
        inode.unsyncedChunks.insert(place.chunk.index)
        let sequence = inode.grant.sequence
        let change = ChunkWriter.Change(
            chunk: place.chunk, minimumEpoch: inode.grant.minimumEpoch,
            counted: { [self] blocks in
                guard inode.grant.mode.allowsWriting, inode.grant.sequence == sequence else { return }
                noteWritten(blocks, ofChunk: place.chunk.index, inode)
            }, send: sender(of: run, place, inode))
        writer.apply(change) { [self] status in
            flushBytesInFlight -= bytes
            inode.flushesInFlight -= 1
            finished(run, of: inode, status)
        }
    }

    /// Builds the request each time it is sent: the pages may have been written again since, and checksums must match
    /// what goes out.
    private func sender(of run: [Piece], _ place: (chunk: ChunkID, offset: Int), _ inode: Inode)
        -> (any Peer, Epoch, SessionID, ConnectionGeneration, @escaping (Reply) -> Void) -> Void
    {
        let sequence = inode.grant.sequence
        let version = inode.chunkVersion
        let chunkBytesLog2 = inode.attributes.chunkBytesLog2
        let deadline = limits.nodeAttemptDeadline
        return { peer, epoch, session, generation, completion in
            var request = WriteChunkRequest()
            request.epoch = epoch
            request.session = session
            request.generation = generation
            request.sequence = sequence
            request.chunk = place.chunk
            request.offset = UInt32(place.offset)
            request.version = version
            request.chunkBytesLog2 = chunkBytesLog2
            var payload: [UnsafeRawBufferPointer] = []
            for piece in run {
                let bytes = piece.block.bytes(
                    piece.pages.lowerBound * CacheBlock.pageBytes..<piece.pages.upperBound * CacheBlock.pageBytes)
                request.checksums += CRC32C.blocks(of: bytes, blockBytes: CacheBlock.pageBytes)
                payload.append(bytes)
            }
            peer.call(.writeChunk, request, payload: payload, deadline: deadline, completion: completion)
        }
    }

    private func finished(_ run: [Piece], of inode: Inode, _ status: WireStatus) {
        for piece in run {
            let mask = piece.block.flushing
            piece.block.flushing = 0
            // A file that was forgotten meanwhile has no block here any more.
            guard status != .ok, inode.blocks[piece.block.index] === piece.block, inode.grant.mode.allowsWriting else {
                continue
            }
            cache.dirtyBytes += (mask & ~piece.block.dirty).nonzeroBitCount * CacheBlock.pageBytes
            piece.block.dirty |= mask
            inode.dirtyBlocks.insert(piece.block.index)
        }
        if status != .ok, inode.grant.mode.allowsWriting {
            logger.error("inode \(inode.id): write-back failed: \(status)")
            noteWriteBackFailure(status, of: inode)
        }
        resume(inode)
        for piece in run { piece.block.wakeWaiters() }
        wakeDirtyWaiters()
        wakeFlushWaiters(of: inode)
        while flushBytesInFlight < limits.flushBytesInFlightMax, let waiting = flushQueue.popFirst() {
            waiting.isInFlushQueue = false
            resume(waiting)
        }
        failDirtyWaiters()
        cache.trim()
    }

    /// Sends what may go now: everything if somebody waits for it, else full blocks.
    func resume(_ inode: Inode) {
        guard !inode.dirtyBlocks.isEmpty else { return }
        send(inode, onlyFull: inode.flushWaiters.isEmpty && dirtyWaiters.isEmpty)
    }

    /// When nothing is on its way that could make room, writers that wait for room are let go: their next call, close
    /// or fsync reports the error.
    func failDirtyWaiters() {
        guard flushBytesInFlight == 0 else { return }
        let waiters = dirtyWaiters
        dirtyWaiters = []
        for waiter in waiters { waiter() }
    }
}

extension UInt32 {
    /// How many of the lowest bits are one without a gap.
    var trailingOnes: Int { (~self).trailingZeroBitCount }
}
