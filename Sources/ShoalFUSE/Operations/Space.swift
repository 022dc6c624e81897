import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addSpace() {
        lseek = { request, inode, offset, whence, file in
            let reply = FuseSeekReply(request: FuseRequest(request!))
            guard let target = FuseSeekTarget(rawValue: whence), offset >= 0 else {
                return reply.error(.invalidArgument)
            }
            reply.request.filesystem.seek(
                InodeID(inode), handle: file!.pointee.handle, from: UInt64(offset), to: target, reply: reply)
        }
        fallocate = { request, inode, mode, offset, length, file in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            guard offset >= 0, length > 0 else { return reply.error(.invalidArgument) }
            reply.request.filesystem.allocate(
                InodeID(inode), handle: file!.pointee.handle, FuseAllocation(rawValue: mode), offset: UInt64(offset),
                length: UInt64(length), reply: reply)
        }
        copy_file_range = { request, source, sourceOffset, sourceFile, target, targetOffset, targetFile, count, _ in
            let reply = FuseWriteReply(request: FuseRequest(request!))
            guard sourceOffset >= 0, targetOffset >= 0 else { return reply.error(.invalidArgument) }
            reply.request.filesystem.copy(
                from: InodeID(source), sourceHandle: sourceFile!.pointee.handle, sourceOffset: UInt64(sourceOffset),
                to: InodeID(target), targetOffset: UInt64(targetOffset), count: count,
                targetFlags: targetFile!.pointee.openFlags, reply: reply)
        }
    }
}
