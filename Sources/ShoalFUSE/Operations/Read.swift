import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addRead() {
        read = { request, inode, count, offset, file in
            let reply = FuseReadReply(request: FuseRequest(request!))
            let filesystem = reply.request.filesystem
            let (handle, flags) = (file!.pointee.handle, file!.pointee.openFlags)
            // Only read(2) and its like name a lock owner (fuse_send_read in the kernel); libfuse hides the flag itself.
            guard file!.pointee.lock_owner != 0 else {
                return filesystem.readPages(
                    InodeID(inode), handle: handle, offset: UInt64(offset), count: count, flags: flags, reply: reply)
            }
            filesystem.read(
                InodeID(inode), handle: handle, offset: UInt64(offset), count: count, flags: flags, reply: reply)
        }
    }
}
