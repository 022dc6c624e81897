import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    package enum SeekTarget: Sendable {
        case data
        case hole
    }

    /// The first place of that kind at or after `offset` (lseek(2), SEEK_DATA and SEEK_HOLE), in whole blocks. What has
    /// been written counts as data, also zeros. `.noSuchAddress` past the end, and if no data follows.
    package func seek(
        _ id: InodeID, from offset: UInt64, to target: SeekTarget, completion: @escaping Completion<UInt64>
    ) {
        let inode = inodes.inode(id)
        withLease(.read, on: inode, failure: { completion(.failure($0)) }) { [self] done in
            guard offset < inode.attributes.size else {
                completion(.failure(.noSuchAddress))
                return done()
            }
            // What is dirty is data: the nodes shall know it.
            writeBack(inode) { [self] in
                if let error = inode.writeError {
                    completion(.failure(error))
                    return done()
                }
                search(inode, from: offset, for: target) { result in
                    completion(result)
                    done()
                }
            }
        }
    }

    private func search(
        _ inode: Inode, from offset: UInt64, for target: SeekTarget, _ completion: @escaping Completion<UInt64>
    ) {
        let attributes = inode.attributes
        if attributes.allocatedBytes == attributes.denseBytes {
            return completion(.success(target == .data ? offset : attributes.size))
        }
        guard offset < attributes.size else {
            return completion(target == .data ? .failure(.noSuchAddress) : .success(attributes.size))
        }
        let place = chunk(at: offset, of: inode)
        let start = offset - UInt64(place.offset)
        layouts.layout(of: place.chunk, minimumEpoch: inode.grant.minimumEpoch) { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let layout):
                let block = Geometry.blockBytes
                let found = (place.offset / block..<Int(attributes.chunkBytes) / block).first {
                    layout.isData($0) == (target == .data)
                }
                guard let found else { return searchChunks(inode, after: place.chunk, for: target, completion) }
                let position = max(offset, start + UInt64(found * block))
                if position < attributes.size { return completion(.success(position)) }
                completion(target == .data ? .failure(.noSuchAddress) : .success(attributes.size))
            }
        }
    }

    /// Goes on in the next chunk that has what is looked for.
    private func searchChunks(
        _ inode: Inode, after chunk: ChunkID, for target: SeekTarget, _ completion: @escaping Completion<UInt64>
    ) {
        let chunkBytes = inode.attributes.chunkBytes
        let end = UInt32(clamping: (inode.attributes.size + chunkBytes - 1) / chunkBytes)
        let rest = min(chunk.index + 1, end)..<end
        layouts.list(chunk.data, rest, minimumEpoch: inode.grant.minimumEpoch) { [self] result in
            switch result {
            case .failure(let error): completion(.failure(error))
            case .success(let chunks):
                var next = end
                switch target {
                case .data: next = chunks.first { $0.allocatedBlocks > 0 }?.index ?? end
                case .hole:
                    let full = chunkBytes / UInt64(Geometry.blockBytes)
                    next = rest.lowerBound
                    for chunk in chunks where chunk.index == next && UInt64(chunk.allocatedBlocks) == full { next += 1 }
                }
                search(inode, from: UInt64(next) * chunkBytes, for: target, completion)
            }
        }
    }
}
