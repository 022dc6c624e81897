import CFuse3
import Glibc
import ShoalTypes

extension fuse_lowlevel_ops {
    /// Called only if `negotiate` has asked for it.
    mutating func addLocks() {
        getlk = { request, inode, file, lock in
            let reply = FuseLockReply(request: FuseRequest(request!))
            guard let wish = FuseRecordLock(lock!.pointee), wish.mode != nil else {
                return reply.error(.invalidArgument)
            }
            reply.request.filesystem.testLock(
                wish, of: InodeID(inode), handle: file!.pointee.handle, owner: LockOwner(file!.pointee.lock_owner),
                reply: reply)
        }
        setlk = { request, inode, file, lock, sleeps in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            guard let wish = FuseRecordLock(lock!.pointee) else { return reply.error(.invalidArgument) }
            reply.request.filesystem.setLock(
                wish, of: InodeID(inode), handle: file!.pointee.handle, owner: LockOwner(file!.pointee.lock_owner),
                waits: sleeps != 0, reply: reply)
        }
        flock = { request, inode, file, operation in
            let reply = FuseEmptyReply(request: FuseRequest(request!))
            let mode: LockMode?
            switch operation & ~LOCK_NB {
            case LOCK_SH: mode = .shared
            case LOCK_EX: mode = .exclusive
            case LOCK_UN: mode = nil
            default: return reply.error(.invalidArgument)
            }
            reply.request.filesystem.setFileLock(
                mode, of: InodeID(inode), handle: file!.pointee.handle, owner: LockOwner(file!.pointee.lock_owner),
                waits: operation & LOCK_NB == 0, reply: reply)
        }
    }
}
