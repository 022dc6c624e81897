import CFuse3
import ShoalTypes

/// The answer to write.
package struct FuseWriteReply: Sendable {
    package let request: FuseRequest

    /// `count` bytes were taken: all of them, unless something ran out.
    package func written(_ count: Int) { _ = request.answer { fuse_reply_write($0, count) } }
    package func error(_ error: FileError) { request.fail(error) }
}
