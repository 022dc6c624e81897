import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// The most bytes that one call copies: a caller that asks for more calls again (copy_file_range(2) allows it), and
    /// can be interrupted in between.
    private static let copyBytesMax: UInt64 = 256 << 20

    /// Copies a part of one file to another, or to another place of the same (copy_file_range(2)): fewer bytes than
    /// asked at the source's end, or if there are many. Whole chunks, where chunks of the two line up, go from node to
    /// node; the rest goes through here. Holes stay holes where whole chunks are copied.
    ///
    /// Errors: `.invalidArgument` for ranges of one file that overlap, `.fileTooLarge`.
    /// - Parameter keepsAccessTime: O_NOATIME on the source: the access does not count.
    package func copy(
        from sourceID: InodeID, at sourceOffset: UInt64, to targetID: InodeID, at targetOffset: UInt64, count: UInt64,
        keepsAccessTime: Bool = false, by writer: Writer = .privileged, completion: @escaping Completion<Int>
    ) {
        let source = inodes.inode(sourceID)
        let target = inodes.inode(targetID)
        // While it waits for the one, the other must not be forgotten.
        source.awaited += 1
        target.awaited += 1
        let end: Completion<Int> = { result in
            source.awaited -= 1
            target.awaited -= 1
            completion(result)
        }
        withBoth(source, target, writer, failure: { end(.failure($0)) }) { [self] done in
            let finish: Completion<Int> = { result in
                end(result)
                done()
            }
            let size = source.attributes.size
            guard sourceOffset < size, count > 0 else { return finish(.success(0)) }
            let count = min(count, size - sourceOffset)
            let isApart = sourceOffset + count <= targetOffset || targetOffset + count <= sourceOffset
            guard source !== target || isApart else { return finish(.failure(.invalidArgument)) }
            let limit = target.attributes.sizeMax
            guard targetOffset < limit else { return finish(.failure(.fileTooLarge)) }
            let wanted = min(count, Client.copyBytesMax, limit - targetOffset)
            let job = CopyJob(source: source, target: target, from: sourceOffset, to: targetOffset, count: wanted)
            copyParts(job, job.parts[...], copied: 0) { [self] result in
                // After the writes, which count first if both are one file.
                if case .success = result, !keepsAccessTime { noteAccess(source) }
                if case .success(let copied) = result, copied == Int(wanted) { return finish(result) }
                // More may be done than is said; the kernel drops its pages of no more than that.
                done()
                withoutKernelPages(of: target) { end(result) }
            }
        }
    }

    /// A read lease on the source, the write lease and exclusive use of the target; the lower inode first, or copies in
    /// opposite directions would wait for each other.
    private func withBoth(
        _ source: Inode, _ target: Inode, _ writer: Writer, failure: @escaping (FileError) -> Void,
        _ body: @escaping (_ done: @escaping () -> Void) -> Void
    ) {
        let lockTarget: (@escaping (FileError) -> Void, @escaping (@escaping () -> Void) -> Void) -> Void = {
            [self] failure, body in
            withLease(.write, on: target, failure: failure) { [self] done in
                dropPrivileges(of: target, for: writer) { [self] result in
                    let fail: (FileError) -> Void = { error in
                        failure(error)
                        done()
                    }
                    if case .failure(let error) = result { return fail(error) }
                    withExclusiveUse(of: target, failure: fail) { [self] in
                        body { [self] in
                            endExclusiveUse(of: target)
                            done()
                        }
                    }
                }
            }
        }
        if source === target { return lockTarget(failure, body) }
        let lockSource: (@escaping (FileError) -> Void, @escaping (@escaping () -> Void) -> Void) -> Void = {
            [self] failure, body in withLease(.read, on: source, failure: failure, body)
        }
        let (first, second) = source.id < target.id ? (lockSource, lockTarget) : (lockTarget, lockSource)
        first(failure) { releaseFirst in
            second({ error in
                failure(error)
                releaseFirst()
            }) { releaseSecond in
                body {
                    releaseSecond()
                    releaseFirst()
                }
            }
        }
    }

    /// A failure after the first bytes ends the copy short; the next call meets it again.
    private func copyParts(
        _ job: CopyJob, _ parts: ArraySlice<CopyJob.Part>, copied: UInt64, _ finish: @escaping Completion<Int>
    ) {
        guard let part = parts.first else { return finish(.success(Int(copied))) }
        let next: Completion<Void> = { [self] result in
            switch result {
            case .success: copyParts(job, parts.dropFirst(), copied: copied + part.count, finish)
            case .failure(let error): finish(copied > 0 ? .success(Int(copied)) : .failure(error))
            }
        }
        if part.isWhole { copyChunks(job, part, next) } else { copyBytes(job, part, next) }
    }

    // MARK: Through this mount

    private func copyBytes(_ job: CopyJob, _ part: CopyJob.Part, _ completion: @escaping Completion<Void>) {
        guard part.count > 0 else { return completion(.success(())) }
        let count = min(part.count, UInt64(Geometry.requestBytesMax))
        let range = part.source..<part.source + count
        withPages(range, of: job.source, failure: { completion(.failure($0)) }) { [self] in
            let bytes = segments(range, of: job.source).flatMap { Array($0) }
            // The kernel drops its pages of the target when the copy is over; until then nobody reads others.
            storeWithEdges(
                bytes, .at(part.target), job.target, job.target.grant.sequence, keepsKernelPages: true
            ) { [self] result in
                if case .failure(let error) = result { return completion(.failure(error)) }
                let rest = CopyJob.Part(
                    source: part.source + count, target: part.target + count, count: part.count - count, isWhole: false)
                copyBytes(job, rest, completion)
            }
        }
    }

    // MARK: From node to node

    private func copyChunks(_ job: CopyJob, _ part: CopyJob.Part, _ completion: @escaping Completion<Void>) {
        let target = job.target
        settle(job.source) { [self] result in
            if case .failure(let error) = result { return completion(.failure(error)) }
            let end = part.target + part.count
            let page = UInt64(CacheBlock.pageBytes)
            dropPages(part.target..<(end + page - 1) / page * page, of: target)
            settle(target) { [self] result in
                if case .failure(let error) = result { return completion(.failure(error)) }
                // The reservation comes first, and with it a data ID for a file that has none.
                reserve(upTo: end, for: target) { [self] result in
                    if case .failure(let error) = result { return completion(.failure(error)) }
                    let chunkBytes = target.attributes.chunkBytes
                    let first = UInt32(part.target / chunkBytes)
                    let count = UInt32((part.count + chunkBytes - 1) / chunkBytes)
                    learnBlocks(of: first..<first + count, target) { [self] result in
                        if case .failure(let error) = result { return completion(.failure(error)) }
                        let shift = UInt32(part.source / chunkBytes)
                        copyChunks(job, first..<first + count, from: shift) { [self] result in
                            if case .success = result { grown(target, to: end) }
                            completion(result)
                        }
                    }
                }
            }
        }
    }

    private func grown(_ inode: Inode, to end: UInt64) {
        let now = scheduler.wallClock
        attributesChanged(inode)
        inode.ledger.noteHole()
        inode.attributes.size = max(inode.attributes.size, end)
        inode.attributes.modifyTime = now
        inode.attributes.changeTime = now
        inode.needsCommit = true
        startWriteBehind(of: inode)
    }

    /// Up to eight at once.
    private func copyChunks(
        _ job: CopyJob, _ indices: Range<UInt32>, from source: UInt32, _ completion: @escaping Completion<Void>
    ) {
        let batch = indices.prefix(8)
        guard !batch.isEmpty else { return completion(.success(())) }
        var left = batch.count
        var failure: FileError?
        for (number, index) in batch.enumerated() {
            let from = ChunkID(data: job.source.attributes.data, index: source + UInt32(number))
            copyChunk(from, to: index, job.target) { [self] status in
                if status != .ok { failure = failure ?? status.fileError }
                left -= 1
                guard left == 0 else { return }
                if let failure { return completion(.failure(failure)) }
                copyChunks(job, indices.dropFirst(8), from: source + UInt32(batch.count), completion)
            }
        }
    }

    private func copyChunk(
        _ source: ChunkID, to index: UInt32, _ target: Inode, completion: @escaping (WireStatus) -> Void
    ) {
        target.chunkVersion += 1
        target.unsyncedChunks.insert(index)
        var request = CopyChunkRequest()
        request.sequence = target.grant.sequence
        request.chunk = ChunkID(data: target.attributes.data, index: index)
        request.source = source
        request.version = target.chunkVersion
        request.chunkBytesLog2 = target.attributes.chunkBytesLog2
        let message = request
        let deadline = limits.copyAttemptDeadline
        let change = ChunkWriter.Change(
            chunk: request.chunk, minimumEpoch: target.grant.minimumEpoch,
            counted: { [self] blocks in note(blocks, ofChunk: index, target) }
        ) { peer, epoch, session, generation, completion in
            var request = message
            request.epoch = epoch
            request.session = session
            request.generation = generation
            peer.call(.copyChunk, request, deadline: deadline, completion: completion)
        }
        writer.apply(change, completion: completion)
    }
}

/// One copy, and the parts it is done in.
struct CopyJob {
    struct Part {
        var source: UInt64
        var target: UInt64
        var count: UInt64
        /// Whole chunks, up to the last, which may end with both files.
        var isWhole: Bool
    }
    let source: Inode
    let target: Inode
    let from: UInt64
    let to: UInt64
    let count: UInt64

    /// What goes through the mount before whole chunks, those, and the rest.
    var parts: [Part] {
        let chunk = target.attributes.chunkBytes
        let whole = Part(source: from, target: to, count: count, isWhole: false)
        guard source.attributes.chunkBytesLog2 == target.attributes.chunkBytesLog2, source.attributes.data != .none,
            from % chunk == to % chunk
        else { return [whole] }
        let head = min(count, (chunk - from % chunk) % chunk)
        var tail = (count - head) % chunk
        // The last chunk of the source may take the place of the last of the target: past both ends are only zeros.
        if from + count == source.attributes.size, to + count >= target.attributes.size { tail = 0 }
        let middle = count - head - tail
        let parts = [
            Part(source: from, target: to, count: head, isWhole: false),
            Part(source: from + head, target: to + head, count: middle, isWhole: true),
            Part(source: from + head + middle, target: to + head + middle, count: tail, isWhole: false),
        ]
        return parts.filter { $0.count > 0 }
    }
}
