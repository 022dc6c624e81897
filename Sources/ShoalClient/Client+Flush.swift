import Logging
import ShoalChecksum
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Write-behind. Full blocks leave at once, in requests of up to 1 MiB; the others after a moment, or on flush, fsync,
/// a recall. The size follows when the nodes hold the bytes.
extension Client {
    /// After a write: sends the blocks that are full, and makes sure the rest does not stay for long.
    func startWriteBehind(of inode: Inode) {
        if inode.dirtyBlocks.count >= 8 { send(inode, onlyFull: true) }
        guard !inode.hasFlushTimer else { return }
        inode.hasFlushTimer = true
        scheduler.schedule(after: limits.writeBehindDelay) { [self] in
            inode.hasFlushTimer = false
            // What failed is retried by whoever is told of it; if the file is closed there is nobody.
            guard inode.isDirty, inode.writeError == nil || inode.openCount == 0, inode.grant.mode == .write else {
                return
            }
            flushUnasked(inode)
        }
    }

    /// A flush that nobody waits for. An error is kept for the next close or fsync; of a file that nobody has open any
    /// more the bytes are given up, since nobody is left to make room for them or to try again. A closed file gives its
    /// reservation back on the way, so that its lease can go without another message.
    func flushUnasked(_ inode: Inode) {
        flush(inode, releasesReservation: inode.openCount == 0) { [self] result in
            guard case .failure(let error) = result else { return }
            let isClosed = inode.openCount == 0
            if isClosed, inode.isDirty { giveUp(inode) }
            // A commit that a quota refused leaves the file dirty, and is not tried again by itself.
            if isClosed || !inode.isDirty || error == .quota { inode.writeError = inode.writeError ?? error }
        }
    }

    /// Loses what was buffered, and shows the file again as the server has it.
    func giveUp(_ inode: Inode) {
        logger.error("inode \(inode.id): gave up bytes that could not be written back after the file was closed")
        discardDirty(of: inode)
        inode.attributesAreOld = true
    }

    /// Too much is dirty: everything of this inode goes now.
    func flushEarly(_ inode: Inode) {
        send(inode, onlyFull: false)
        guard cache.dirtyBytes >= limits.dirtyBytesMax else { return }
        for other in Array(inodes.all) where !other.dirtyBlocks.isEmpty && other !== inode {
            send(other, onlyFull: false)
        }
    }

    /// Writes back everything that is dirty when it is called, then commits size and times. The result is that of this
    /// write-back, or of an earlier one that nobody has been told about.
    /// - Parameter releasesReservation: afterwards no bytes past the end may be on the nodes (the write lease is about
    ///   to go).
    func flush(_ inode: Inode, releasesReservation: Bool = false, completion: @escaping Completion<Void>) {
        let retried = inode.writeError
        if retried == .noSpace || retried == .quota { inode.writeError = nil }
        writeBack(inode) { [self] in
            if let error = inode.writeError {
                if error != .noSpace, error != .quota { inode.writeError = nil }
                return completion(.failure(error))
            }
            commit(inode, releasesReservation: releasesReservation, completion: completion)
        }
    }

    /// Sends until nothing is dirty or in flight, or writing has failed.
    func writeBack(_ inode: Inode, completion: @escaping () -> Void) {
        if inode.writeError == nil { send(inode, onlyFull: false) }
        let isDone = inode.dirtyBlocks.isEmpty || inode.writeError != nil || inode.grant.mode < .write
        if isDone, inode.flushesInFlight == 0 { return completion() }
        inode.flushWaiters.append { [self] in writeBack(inode, completion: completion) }
    }

    func waitForFlush(of inode: Inode, _ body: @escaping () -> Void) {
        inode.flushWaiters.append(body)
    }

    func wakeFlushWaiters(of inode: Inode) {
        let waiters = inode.flushWaiters
        inode.flushWaiters = []
        for waiter in waiters { waiter() }
    }

    // MARK: Sending

    private func send(_ inode: Inode, onlyFull: Bool) {
        guard inode.grant.mode == .write, inode.writeError == nil else { return }
        var candidates = inode.dirtyBlocks.filter { index in
            guard let block = inode.blocks[index] else { return false }
            return block.flushing == 0 && (!onlyFull || block.dirty == .max)
        }.sorted()[...]
        while !candidates.isEmpty {
            guard flushBytesInFlight < limits.flushBytesInFlightMax else {
                if !inode.isInFlushQueue { flushQueue.append(inode) }
                inode.isInFlushQueue = true
                return
            }
            let run = nextRun(from: &candidates, of: inode)
            let end = run.last.map { $0.block.offset + UInt64($0.pages.upperBound * CacheBlock.pageBytes) } ?? 0
            guard end <= inode.reservedSize || reservedEnough(inode, for: end) else { return reserve(end, for: inode) }
            sendRun(run, of: inode)
        }
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
        let change = ChunkWriter.Change(
            chunk: place.chunk, minimumEpoch: inode.grant.minimumEpoch, send: sender(of: run, place, inode))
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
            guard status != .ok, inode.blocks[piece.block.index] === piece.block, inode.grant.mode == .write else {
                continue
            }
            cache.dirtyBytes += (mask & ~piece.block.dirty).nonzeroBitCount * CacheBlock.pageBytes
            piece.block.dirty |= mask
            inode.dirtyBlocks.insert(piece.block.index)
        }
        if status != .ok, inode.grant.mode == .write {
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

    /// Writes back every inode; the first error is the result.
    func flushAll(completion: @escaping Completion<Void>) {
        let dirty = inodes.all.filter {
            $0.isDirty || ($0.grant.mode == .write && $0.reservedSize > $0.attributes.size)
        }
        var left = dirty.count
        var failure: FileError?
        guard left > 0 else { return completion(.success(())) }
        for inode in dirty {
            flush(inode, releasesReservation: true) { result in
                if case .failure(let error) = result { failure = failure ?? error }
                left -= 1
                if left == 0 { completion(failure.map { .failure($0) } ?? .success(())) }
            }
        }
    }
}

extension UInt32 {
    /// How many of the lowest bits are one without a gap.
    var trailingOnes: Int { (~self).trailingZeroBitCount }
}
