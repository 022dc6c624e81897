import CFuse3
import ShoalTypes

/// The answer to getxattr and listxattr.
package struct FuseExtendedAttributeReply: Sendable {
    package let request: FuseRequest
    /// The room that the caller has; 0 asks only for the length.
    package let bytesMax: Int

    /// Answers with the length if that was the question, and with ERANGE if `bytes` are more than fit.
    package func value(_ bytes: [UInt8]) {
        if bytesMax == 0 {
            _ = request.answer { fuse_reply_xattr($0, bytes.count) }
        } else if bytes.count > bytesMax {
            request.fail(.range)
        } else {
            _ = request.answer { pending in
                bytes.withUnsafeBytes {
                    fuse_reply_buf(pending, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
                }
            }
        }
    }

    package func error(_ error: FileError) { request.fail(error) }
}
