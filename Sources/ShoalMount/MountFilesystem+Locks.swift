import ShoalClient
import ShoalFUSE
import ShoalTypes
import ShoalWire

extension MountFilesystem {
    func testLock(
        _ lock: FuseRecordLock, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseLockReply
    ) {
        guard !client.hasLostLocks(OpenFileID(handle.rawValue)) else { return reply.error(.inputOutput) }
        let target = LockTarget(inode: inode, kind: .record, owner: owner)
        client.testLock(target, lock.range, lock.mode ?? .exclusive) { result in
            switch result {
            case .success(nil): reply.free()
            case .success(let found?):
                reply.conflict(FuseRecordLock(range: found.range, mode: found.mode, process: found.process))
            case .failure(let error): reply.error(error)
            }
        }
    }

    func setLock(
        _ lock: FuseRecordLock, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, waits: Bool,
        reply: FuseEmptyReply
    ) {
        let target = LockTarget(inode: inode, kind: .record, owner: owner)
        set(target, lock.range, lock.mode, handle, lock.process, waits, reply)
    }

    func setFileLock(
        _ mode: LockMode?, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, waits: Bool,
        reply: FuseEmptyReply
    ) {
        let target = LockTarget(inode: inode, kind: .whole, owner: owner)
        let process = UInt32(bitPattern: reply.request.caller.process)
        set(target, .whole, mode, handle, process, waits, reply)
    }

    private func set(
        _ target: LockTarget, _ range: LockRange, _ mode: LockMode?, _ handle: FuseFileHandle, _ process: UInt32,
        _ waits: Bool, _ reply: FuseEmptyReply
    ) {
        let call = client.setLock(
            target, range, mode, file: OpenFileID(handle.rawValue), process: process, waits: waits,
            completion: finish(reply))
        if waits, !call.isDone { reply.request.onInterrupt { [client] in client.interrupt(call) } }
    }
}
