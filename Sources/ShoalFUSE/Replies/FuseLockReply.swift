import CFuse3
import ShoalTypes

/// The answer to a question for locks (F_GETLK).
package struct FuseLockReply: Sendable {
    package let request: FuseRequest

    /// Nothing is in the way.
    package func free() {
        conflict(FuseRecordLock(range: .whole, mode: nil, process: 0))
    }

    /// This lock is in the way.
    package func conflict(_ lock: FuseRecordLock) {
        _ = request.answer { pending in
            var system = lock.systemLock
            return fuse_reply_lock(pending, &system)
        }
    }

    package func error(_ error: FileError) { request.fail(error) }
}
