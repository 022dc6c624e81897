import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addWrite() {
        write = { request, inode, bytes, count, offset, file in
            let reply = FuseWriteReply(request: FuseRequest(request!))
            reply.request.filesystem.write(
                InodeID(inode), handle: file!.pointee.handle, offset: UInt64(offset),
                bytes: UnsafeRawBufferPointer(start: bytes, count: count), flags: file!.pointee.openFlags, reply: reply)
        }
    }
}
