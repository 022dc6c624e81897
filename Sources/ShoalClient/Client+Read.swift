import ShoalTypes

extension Client {
    /// Reads up to `length` bytes at `offset`; fewer at the end of the file. The buffers, in order, are valid during
    /// the call.
    /// - Parameter keepsAccessTime: O_NOATIME: the access does not count.
    package func read(
        _ id: InodeID, offset: UInt64, length: Int, keepsAccessTime: Bool = false,
        completion: @escaping Completion<[UnsafeRawBufferPointer]>
    ) {
        let inode = inodes.inode(id)
        let extent = extent(at: offset, length, of: inode)
        withLease(.read, on: inode, extent: extent, failure: { completion(.failure($0)) }) { [self] done in
            let lost = { [self] in
                done()
                read(id, offset: offset, length: length, keepsAccessTime: keepsAccessTime, completion: completion)
            }
            readLeased(inode, offset, length, keepsAccessTime, lost: lost) {
                completion($0)
                done()
            }
        }
    }

    /// - Parameter lost: called instead of `completion` if the lease is lost while bytes are fetched: where the file ends may
    ///   have changed, too.
    func readLeased(
        _ inode: Inode, _ offset: UInt64, _ length: Int, _ keepsAccessTime: Bool, lost: @escaping () -> Void,
        completion: @escaping Completion<[UnsafeRawBufferPointer]>
    ) {
        // At the end of the file too, where there is nothing to read.
        if !keepsAccessTime { noteAccess(inode) }
        let size = inode.attributes.size
        guard offset < size, length > 0 else { return completion(.success([])) }
        let range = offset..<min(size, offset + UInt64(length))
        readAhead(range, of: inode)
        let generation = inode.generation
        let failure: (FileError) -> Void = { error in
            if inode.generation == generation { completion(.failure(error)) } else { lost() }
        }
        withPages(range, of: inode, failure: failure) { [self] in completion(.success(segments(range, of: inode))) }
    }

    func segments(_ range: Range<UInt64>, of inode: Inode) -> [UnsafeRawBufferPointer] {
        let bytes = UInt64(CacheBlock.bytes)
        var found: [UnsafeRawBufferPointer] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let index = offset / bytes
            guard let block = inode.blocks[index] else { preconditionFailure("a pinned block has left the cache") }
            let end = min(range.upperBound, (index + 1) * bytes)
            let part = Int(offset - block.offset)..<Int(end - block.offset)
            cache.touch(block, part)
            found.append(block.bytes(part))
            offset = end
        }
        return found
    }

    /// A reader that goes on where it stopped is served ahead: the window doubles with each such read up to its limit,
    /// and closes when a read lands elsewhere.
    private func readAhead(_ range: Range<UInt64>, of inode: Inode) {
        var state = inode.readAhead
        defer { inode.readAhead = state }
        // Requests of one reader may overtake each other a little.
        let isLittleBehind =
            state.window > 0 && range.lowerBound < state.next
            && state.next - range.lowerBound <= UInt64(Geometry.requestBytesMax)
        guard range.lowerBound == state.next || isLittleBehind else {
            state = ReadAheadState(next: range.upperBound, window: 0, requestedUpTo: range.upperBound)
            return
        }
        state.next = max(state.next, range.upperBound)
        state.window = min(max(state.window * 2, limits.readAheadBytesMin), limits.readAheadBytesMax)
        state.requestedUpTo = max(state.requestedUpTo, range.lowerBound)
        let end = endOfLease(inode)
        let wanted = min(end, range.upperBound + UInt64(state.window))
        // Half a window at a time, so that requests stay large.
        guard wanted > state.requestedUpTo,
            wanted == end || wanted - state.requestedUpTo >= UInt64(state.window / 2)
        else { return }
        fetch(state.requestedUpTo..<wanted, of: inode) { _ in }
        state.requestedUpTo = wanted
    }
}
