import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addSynchronization() {
        flush = { request, inode, file in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            reply.request.filesystem.flush(
                InodeID(inode), handle: file!.pointee.handle, owner: LockOwner(file!.pointee.lock_owner), reply: reply)
        }
        fsync = { request, inode, dataOnly, file in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            reply.request.filesystem.synchronize(
                InodeID(inode), handle: file!.pointee.handle, dataOnly: dataOnly != 0, reply: reply)
        }
        fsyncdir = { request, inode, dataOnly, file in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            reply.request.filesystem.synchronizeDirectory(
                InodeID(inode), handle: file!.pointee.handle, dataOnly: dataOnly != 0, reply: reply)
        }
    }
}
