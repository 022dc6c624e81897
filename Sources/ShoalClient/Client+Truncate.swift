import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// Sets the size (truncate(2)), with any other attributes of `change` in the same step.
    func truncate(
        _ inode: Inode, to size: UInt64, _ change: AttributeChange, by writer: Writer,
        completion: @escaping Completion<FileAttributes>
    ) {
        guard size <= Geometry.fileBytesMax else { return completion(.failure(.fileTooLarge)) }
        withLease(.write, on: inode, failure: { completion(.failure($0)) }) { [self] done in
            guard size <= inode.attributes.sizeMax else {
                completion(.failure(.fileTooLarge))
                return done()
            }
            let finish: Completion<FileAttributes> = { result in
                completion(result)
                done()
            }
            withExclusiveUse(of: inode, failure: { finish(.failure($0)) }) { [self] in
                var change = change
                change.take(writer.permissionsLeft(inode.attributes))
                shrinkOrGrow(inode, to: size, change) { [self] result in
                    endExclusiveUse(of: inode)
                    finish(result)
                }
            }
        }
    }

    private func shrinkOrGrow(
        _ inode: Inode, to size: UInt64, _ change: AttributeChange, _ finish: @escaping Completion<FileAttributes>
    ) {
        if size == 0 {
            // The content gets a new ID: what is buffered or under way no longer matters.
            dropBlocks(of: inode)
            return waitUntilQuiet(inode) { [self] in sendSize(size, change, of: inode, finish) }
        }
        let old = inode.attributes.size
        if size < old { dropBlocks(of: inode, from: size) }
        writeBack(inode) { [self] in
            if let error = inode.writeError {
                inode.writeError = nil
                return finish(.failure(error))
            }
            waitUntilQuiet(inode) { [self] in
                guard size < old else { return sendSize(size, change, of: inode, finish) }
                cutChunks(of: inode, from: size, to: max(old, inode.reservedSize)) { [self] result in
                    if case .failure(let error) = result { return finish(.failure(error)) }
                    sendSize(size, change, of: inode, finish)
                }
            }
        }
    }

    private func sendSize(
        _ size: UInt64, _ change: AttributeChange, of inode: Inode, _ completion: @escaping Completion<FileAttributes>
    ) {
        var change = change
        change.size = size
        change.allocatedBytes = size == 0 ? 0 : inode.attributes.allocatedBytes
        // The size that goes now takes the place of the one that was to be committed. Other replies may still tell of an
        // older one.
        let neededCommit = inode.needsCommit
        inode.needsCommit = false
        inode.isSettingSize = true
        setOnServer(inode, change, beforeLearning: { inode.isSettingSize = false }) { result in
            if case .failure = result { inode.needsCommit = neededCommit }
            if case .success(let attributes) = result {
                inode.attributes = attributes
                inode.serverSize = attributes.size
                inode.reservedSize = attributes.reservedSize
                inode.needsCommit = false
                inode.writeError = nil
                inode.readAhead = ReadAheadState()
                if size > 0 { inode.ledger.noteHole() }
                if size == 0 {
                    inode.ledger = BlockLedger(attributes)
                    inode.unsyncedChunks = []
                    inode.mayHaveForeignUnsynced = false
                }
            }
            completion(result)
        }
    }

    /// Makes `size ..< end` a hole on the nodes: the rest of the block that `size` falls into becomes zeros, later
    /// chunks go.
    func cutChunks(of inode: Inode, from size: UInt64, to end: UInt64, completion: @escaping Completion<Void>) {
        guard inode.attributes.data != .none else { return completion(.success(())) }
        zeroTail(of: inode, from: size) { [self] result in
            if case .failure(let error) = result { return completion(.failure(error)) }
            let page = UInt64(CacheBlock.pageBytes)
            let firstCut = (size + page - 1) / page * page
            guard firstCut < end else { return completion(.success(())) }
            let chunkBytes = inode.attributes.chunkBytes
            let first = chunk(at: firstCut, of: inode)
            existingChunks(of: inode, firstCut / chunkBytes..<(end - 1) / chunkBytes + 1) { [self] result in
                switch result {
                case .failure(let error): completion(.failure(error))
                case .success(let indices):
                    let ranges = indices.map { index in
                        ChunkCut(index: index, from: index == first.chunk.index ? first.offset : 0)
                    }
                    cut(inode, ranges[...]) { result in
                        if case .success = result { inode.ledger.cut(to: size) }
                        completion(result)
                    }
                }
            }
        }
    }

    /// The block that holds the new end is rewritten with zeros after it.
    private func zeroTail(of inode: Inode, from size: UInt64, completion: @escaping Completion<Void>) {
        let page = UInt64(CacheBlock.pageBytes)
        guard size % page != 0 else { return completion(.success(())) }
        let start = size / page * page
        withPages(start..<size, of: inode, failure: { completion(.failure($0)) }) { [self] in
            let index = start / UInt64(CacheBlock.bytes)
            guard let block = inode.blocks[index] else { return completion(.failure(.inputOutput)) }
            let number = Int(start - block.offset) / CacheBlock.pageBytes
            let bytes = block.page(number)
            UnsafeMutableRawBufferPointer(rebasing: bytes[Int(size - start)...]).initializeMemory(
                as: UInt8.self, repeating: 0)
            let mask = CacheBlock.mask(number..<number + 1)
            if block.dirty & mask == 0 { cache.dirtyBytes += CacheBlock.pageBytes }
            block.dirty |= mask
            inode.dirtyBlocks.insert(index)
            writeBack(inode) {
                if let error = inode.writeError {
                    inode.writeError = nil
                    return completion(.failure(error))
                }
                completion(.success(()))
            }
        }
    }
}
