import CFuse3
import Glibc
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addSymlinks() {
        symlink = { request, target, parent, name in
            let reply = FuseEntryReply(request: FuseRequest(request!))
            let target = [UInt8](UnsafeRawBufferPointer(start: target!, count: strlen(target!)))
            guard target.count <= Geometry.symlinkBytesMax else { return reply.error(.nameTooLong) }
            withName(name, or: reply.error) { name in
                reply.request.filesystem.makeSymlink(
                    name, in: InodeID(parent), target: target, caller: reply.request.caller, reply: reply)
            }
        }
        readlink = { request, inode in
            let reply = FuseLinkTargetReply(request: FuseRequest(request!))
            reply.request.filesystem.readLink(InodeID(inode), reply: reply)
        }
    }
}
