import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addCreation() {
        mknod = { request, parent, name, mode, device in
            let reply = FuseEntryReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                reply.request.filesystem.makeNode(
                    name, in: InodeID(parent), mode: mode, device: UInt32(truncatingIfNeeded: device),
                    caller: reply.request.caller, reply: reply)
            }
        }
        mkdir = { request, parent, name, mode in
            let reply = FuseEntryReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                reply.request.filesystem.makeDirectory(
                    name, in: InodeID(parent), mode: mode, caller: reply.request.caller, reply: reply)
            }
        }
        link = { request, inode, parent, name in
            let reply = FuseEntryReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                reply.request.filesystem.makeLink(to: InodeID(inode), name, in: InodeID(parent), reply: reply)
            }
        }
        create = { request, parent, name, mode, file in
            let reply = FuseCreateReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                reply.request.filesystem.create(
                    name, in: InodeID(parent), mode: mode, flags: file!.pointee.openFlags,
                    caller: reply.request.caller, reply: reply)
            }
        }
    }
}
