import CFuse3
import Glibc
import ShoalFUSE
import ShoalTypes

/// Passes every call on to a directory of the local filesystem, like libfuse's passthrough_ll. Called on many threads.
///
/// Like there, files belong to whoever runs it, not to the caller.
final class PassthroughFilesystem: FuseFilesystem, Sendable {
    let inodes: InodeTable
    let timeouts: FuseCacheTimeouts
    let buffers = BufferPool()

    struct BadSource: Error, CustomStringConvertible {
        let path: String
        let code: CInt
        var description: String { "\(path): \(String(cString: strerror(code)))" }
    }

    init(source: String, timeouts: FuseCacheTimeouts) throws(BadSource) {
        let descriptor = Glibc.open(source, LinuxConstants.path | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BadSource(path: source, code: errno) }
        inodes = InodeTable(
            root: PassthroughInode(descriptor: descriptor, key: PassthroughInode.Key(device: 0, number: 0)))
        self.timeouts = timeouts
    }

    func descriptor(_ inode: InodeID) -> CInt { inodes.inode(inode).descriptor }

    /// Looks `name` up beneath and counts it as a lookup of the kernel.
    func look(up name: FileName, in parent: InodeID) throws(FileError) -> FileAttributes {
        let descriptor = try succeed(
            name.withCString {
                openat(self.descriptor(parent), $0, LinuxConstants.path | O_NOFOLLOW | O_CLOEXEC)
            })
        var status = stat()
        guard fstatat(descriptor, "", &status, LinuxConstants.atEmptyPath | AT_SYMLINK_NOFOLLOW) == 0 else {
            let error = FileError(errno: errno)
            close(descriptor)
            throw error
        }
        let inode = inodes.take(
            descriptor, key: PassthroughInode.Key(device: UInt(status.st_dev), number: UInt(status.st_ino)))
        return FileAttributes(status, inode: inode.id)
    }

    func attributes(of inode: InodeID) throws(FileError) -> FileAttributes {
        var status = stat()
        try succeed(fstatat(descriptor(inode), "", &status, LinuxConstants.atEmptyPath | AT_SYMLINK_NOFOLLOW))
        return FileAttributes(status, inode: inode)
    }

    func answer(_ reply: FuseEntryReply, _ body: () throws(FileError) -> FileAttributes) {
        do throws(FileError) {
            let attributes = try body()
            if !reply.entry(attributes, timeouts: timeouts) { inodes.forget(attributes.inode, lookups: 1) }
        } catch {
            reply.error(error)
        }
    }

    func answer(_ reply: FuseEmptyReply, _ body: () throws(FileError) -> Void) {
        do throws(FileError) {
            try body()
            reply.done()
        } catch {
            reply.error(error)
        }
    }
}

/// The result of a call that answers -1 for failure.
@discardableResult
func succeed<Number: SignedInteger>(_ result: Number) throws(FileError) -> Number {
    guard result >= 0 else { throw FileError(errno: errno) }
    return result
}

extension FileAttributes {
    init(_ status: stat, inode: InodeID) {
        self.init(
            inode: inode, mode: status.st_mode, linkCount: UInt32(status.st_nlink), uid: status.st_uid,
            gid: status.st_gid, device: UInt32(truncatingIfNeeded: status.st_rdev), size: UInt64(status.st_size),
            accessTime: Timestamp(status.st_atim), modifyTime: Timestamp(status.st_mtim),
            changeTime: Timestamp(status.st_ctim), allocatedBytes: UInt64(status.st_blocks) * 512)
    }
}
