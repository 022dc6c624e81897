import ShoalClient
import ShoalFUSE
import ShoalTypes

extension MountFilesystem {
    func seek(
        _ inode: InodeID, handle: FuseFileHandle, from offset: UInt64, to target: FuseSeekTarget, reply: FuseSeekReply
    ) {
        client.seek(inode, from: offset, to: target == .data ? .data : .hole) { result in
            switch result {
            case .success(let offset): reply.found(offset)
            case .failure(let error): reply.error(error)
            }
        }
    }

    func allocate(
        _ inode: InodeID, handle: FuseFileHandle, _ allocation: FuseAllocation, offset: UInt64, length: UInt64,
        reply: FuseEmptyReply
    ) {
        let kind: Client.Allocation
        switch allocation.subtracting(.keepSize) {
        case []: kind = .reserve
        case .punchHole where allocation.contains(.keepSize): kind = .punch
        case .zeroRange: kind = .zero
        default: return reply.error(.notSupported)
        }
        client.allocate(
            inode, kind, offset: offset, length: length, keepsSize: allocation.contains(.keepSize),
            by: writer(of: reply.request), completion: finish(reply))
    }

    func copy(
        from source: InodeID, sourceHandle: FuseFileHandle, sourceOffset: UInt64, to target: InodeID,
        targetOffset: UInt64, count: Int, targetFlags: FuseOpenFlags, reply: FuseWriteReply
    ) {
        client.copy(
            from: source, at: sourceOffset, to: target, at: targetOffset, count: UInt64(max(0, count)),
            keepsAccessTime: keepAccessTime.contains(sourceHandle), by: writer(of: reply.request)
        ) { [self] result in
            guard case .success(let count) = result, targetFlags.isSynchronous else { return finish(reply)(result) }
            client.sync(target) { [self] result in finish(reply)(result.map { count }) }
        }
    }
}
