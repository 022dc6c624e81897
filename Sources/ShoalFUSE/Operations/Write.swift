import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addWrite() {
        write = { request, inode, bytes, count, offset, file in
            let reply = FuseWriteReply(request: FuseRequest(request!))
            let filesystem = reply.request.filesystem
            let bytes = UnsafeRawBufferPointer(start: bytes, count: count)
            if file!.pointee.writepage != 0 {
                return filesystem.writePages(InodeID(inode), offset: UInt64(offset), bytes: bytes, reply: reply)
            }
            filesystem.write(
                InodeID(inode), handle: file!.pointee.handle, offset: UInt64(offset), bytes: bytes,
                flags: file!.pointee.openFlags, reply: reply)
        }
    }
}
