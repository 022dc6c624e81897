import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addRead() {
        read = { request, inode, count, offset, file in
            let reply = FuseReadReply(request: FuseRequest(request!))
            reply.request.filesystem.read(
                InodeID(inode), handle: file!.pointee.handle, offset: UInt64(offset), count: count,
                flags: file!.pointee.openFlags, reply: reply)
        }
    }
}
