import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addRename() {
        rename = { request, parent, name, newParent, newName, flags in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            withName(name, or: reply.error) { name in
                withName(newName, or: reply.error) { newName in
                    reply.request.filesystem.rename(
                        name, in: InodeID(parent), to: newName, in: InodeID(newParent),
                        flags: FuseRenameFlags(rawValue: flags), reply: reply)
                }
            }
        }
    }
}
