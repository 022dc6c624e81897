import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addRemoval() {
        unlink = { request, parent, name in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                reply.request.filesystem.unlink(name, in: InodeID(parent), reply: reply)
            }
        }
        rmdir = { request, parent, name in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                reply.request.filesystem.removeDirectory(name, in: InodeID(parent), reply: reply)
            }
        }
    }
}
