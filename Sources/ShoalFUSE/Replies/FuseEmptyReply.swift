import CFuse3
import ShoalTypes

/// The answer to a request that wants only to know that it was done: unlink, flush, fsync and the like.
package struct FuseEmptyReply: Sendable {
    package let request: FuseRequest

    package func done() { _ = request.answer { fuse_reply_err($0, 0) } }
    package func error(_ error: FileError) { request.fail(error) }
}
