import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addRelease() {
        release = { request, inode, file in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            reply.request.filesystem.release(
                InodeID(inode), handle: file!.pointee.handle, flags: file!.pointee.openFlags, reply: reply)
        }
        releasedir = { request, inode, file in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            reply.request.filesystem.releaseDirectory(InodeID(inode), handle: file!.pointee.handle, reply: reply)
        }
    }
}
