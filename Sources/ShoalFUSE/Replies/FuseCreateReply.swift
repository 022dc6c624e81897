import CFuse3
import Glibc
import ShoalTypes

/// The answer to create: an inode under a name, and the open file.
package struct FuseCreateReply: Sendable {
    package let request: FuseRequest

    /// - Returns: false if the kernel did not take it; then the lookup does not count and no release follows.
    @discardableResult
    package func created(
        _ attributes: FileAttributes, _ handle: FuseFileHandle, options: FuseOpenOptions = [],
        timeouts: FuseCacheTimeouts = .none, generation: UInt64 = 0
    ) -> Bool {
        // By hand, as in `FuseOpenReply`: the kernel's fuse_entry_out, then its fuse_open_out.
        var out = (
            fuse_entry_out(attributes, timeouts, generation: generation), fuse_open_out(handle, options)
        )
        return request.answer { pending in
            withUnsafeBytes(of: &out) {
                fuse_reply_buf(pending, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
            }
        }
    }

    package func error(_ error: FileError) { request.fail(error) }
}

extension fuse_entry_out {
    init(_ attributes: FileAttributes, _ timeouts: FuseCacheTimeouts, generation: UInt64) {
        self.init()
        nodeid = attributes.inode.rawValue
        self.generation = generation
        (entry_valid, entry_valid_nsec) = fuse_entry_out.split(timeouts.entry)
        (attr_valid, attr_valid_nsec) = fuse_entry_out.split(timeouts.attributes)
        attr = fuse_attr(attributes)
    }

    /// Whole seconds and nanoseconds of `timeout`; what is too long for the field is "for ever".
    private static func split(_ timeout: Double) -> (UInt64, UInt32) {
        let seconds = UInt64(min(max(timeout, 0), 4e9))
        return (seconds, UInt32(min(max((timeout - Double(seconds)) * 1e9, 0), 999_999_999)))
    }
}

extension fuse_attr {
    init(_ attributes: FileAttributes) {
        self.init()
        let status = attributes.stat
        ino = attributes.inode.rawValue
        size = attributes.size
        blocks = UInt64(status.st_blocks)
        atime = UInt64(bitPattern: attributes.accessTime.seconds)
        mtime = UInt64(bitPattern: attributes.modifyTime.seconds)
        ctime = UInt64(bitPattern: attributes.changeTime.seconds)
        atimensec = attributes.accessTime.nanoseconds
        mtimensec = attributes.modifyTime.nanoseconds
        ctimensec = attributes.changeTime.nanoseconds
        mode = attributes.mode
        nlink = attributes.linkCount
        uid = attributes.uid
        gid = attributes.gid
        rdev = attributes.device
        blksize = UInt32(FileAttributes.preferredIOBytes)
    }
}
