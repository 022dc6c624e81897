import CFuse3
import ShoalTypes

/// The answer to getattr and setattr.
package struct FuseAttributesReply: Sendable {
    package let request: FuseRequest

    package func attributes(_ attributes: FileAttributes, timeout: Double = 0) {
        var status = attributes.stat
        _ = request.answer { fuse_reply_attr($0, &status, timeout) }
    }

    package func error(_ error: FileError) { request.fail(error) }
}
