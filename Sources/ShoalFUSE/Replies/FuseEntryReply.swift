import CFuse3
import ShoalTypes

/// The answer to lookup, mknod, mkdir, symlink, link: an inode under a name.
package struct FuseEntryReply: Sendable {
    package let request: FuseRequest

    /// - Parameter generation: tells an inode apart from an earlier one with its number.
    /// - Returns: false if the kernel did not take it; then the lookup does not count.
    @discardableResult
    package func entry(
        _ attributes: FileAttributes, timeouts: FuseCacheTimeouts = .none, generation: UInt64 = 0
    ) -> Bool {
        var parameters = attributes.entryParameters(timeouts, generation: generation)
        return request.answer { fuse_reply_entry($0, &parameters) }
    }

    /// Lookup: there is no such name, and the kernel may remember that for `timeout` seconds.
    package func absent(timeout: Double) {
        var parameters = fuse_entry_param()
        parameters.entry_timeout = timeout
        _ = request.answer { fuse_reply_entry($0, &parameters) }
    }

    package func error(_ error: FileError) { request.fail(error) }
}
