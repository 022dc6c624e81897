import CFuse3
import ShoalTypes

/// The answer to readlink.
package struct FuseLinkTargetReply: Sendable {
    package let request: FuseRequest

    /// 1...4095 bytes, without a NUL.
    package func target(_ bytes: [UInt8]) {
        _ = request.answer { pending in
            bytes.withUnsafeBytes {
                fuse_reply_buf(pending, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
            }
        }
    }

    package func error(_ error: FileError) { request.fail(error) }
}
