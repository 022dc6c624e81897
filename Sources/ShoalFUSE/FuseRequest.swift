import CFuse3
import Glibc
import ShoalTypes

/// The one answer owed to the kernel for a request. Replies wrap it; dropping the last of them without an answer
/// answers EIO, so that a caller never hangs. A second answer is a bug of ours and traps.
///
/// Unchecked: libfuse takes answers from any thread, and the filesystem hands a request from one owner to the next
/// without sharing it, so `pending` has one user at a time.
package final class FuseRequest: @unchecked Sendable {
    /// Keeps the session, into which libfuse's request points, until the answer.
    private let session: FuseSession
    private var pending: fuse_req_t?
    /// libfuse forgets it with the answer, and `self` lives until then.
    private var interruptHandler: (() -> Void)?

    init(_ request: fuse_req_t) {
        pending = request
        session = FuseSession.of(request)
    }

    deinit {
        if let pending { _ = fuse_reply_err(pending, EIO) }
    }

    var filesystem: any FuseFilesystem { session.filesystem }

    /// Who made the call. Only before the answer.
    package var caller: FuseCaller {
        guard let pending else { preconditionFailure("the request was answered already") }
        let context = fuse_req_ctx(pending).pointee
        return FuseCaller(uid: context.uid, gid: context.gid, process: context.pid, umask: context.umask)
    }

    /// The caller's supplementary groups, as /proc shows them; none if it is gone. Only before the answer.
    package var supplementaryGroups: [UInt32] {
        guard let pending else { preconditionFailure("the request was answered already") }
        var groups = [gid_t](repeating: 0, count: 64)
        while true {
            let count = Int(fuse_req_getgroups(pending, CInt(groups.count), &groups))
            guard count > groups.count else { return Array(groups.prefix(max(count, 0))) }
            groups = [gid_t](repeating: 0, count: count)
        }
    }

    /// Answers through `send`.
    /// - Returns: false if the kernel no longer waits (it was interrupted, or unmounted): it took nothing.
    func answer(_ send: (fuse_req_t) -> CInt) -> Bool {
        guard let request = pending else { preconditionFailure("a request was answered twice") }
        pending = nil
        return send(request) == 0
    }

    func fail(_ error: FileError) {
        _ = answer { fuse_reply_err($0, error.errno) }
    }

    /// Calls `handler` if the caller is interrupted by a signal before the answer; at once if it was already. The
    /// handler runs on the thread that processes messages, and may answer. Only for sessions that one thread serves, on
    /// it.
    package func onInterrupt(_ handler: @escaping () -> Void) {
        guard let request = pending else { return }
        if fuse_req_interrupted(request) != 0 { return handler() }
        interruptHandler = handler
        fuse_req_interrupt_func(
            request,
            { _, data in
                let request = Unmanaged<FuseRequest>.fromOpaque(data!).takeUnretainedValue()
                request.interruptHandler?()
            }, Unmanaged.passUnretained(self).toOpaque())
    }
}
