import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addOpen() {
        open = { request, inode, file in
            let reply = FuseOpenReply(request: FuseRequest(request!))
            reply.request.filesystem.open(InodeID(inode), flags: file!.pointee.openFlags, reply: reply)
        }
    }
}
