import CFuse3
import ShoalTypes

/// The answer to lseek(2) with SEEK_DATA or SEEK_HOLE.
package struct FuseSeekReply: Sendable {
    package let request: FuseRequest

    package func found(_ offset: UInt64) { _ = request.answer { fuse_reply_lseek($0, Int(offset)) } }
    /// `.noSuchAddress` where the man page says ENXIO.
    package func error(_ error: FileError) { request.fail(error) }
}
