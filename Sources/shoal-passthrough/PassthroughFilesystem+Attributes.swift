import CFuse3
import Glibc
import ShoalFUSE
import ShoalTypes

extension PassthroughFilesystem {
    func getAttributes(of inode: InodeID, handle: FuseFileHandle?, reply: FuseAttributesReply) {
        do throws(FileError) {
            reply.attributes(try attributes(of: inode), timeout: timeouts.attributes)
        } catch {
            reply.error(error)
        }
    }

    func setAttributes(
        of inode: InodeID, _ change: FuseAttributeChange, handle: FuseFileHandle?, reply: FuseAttributesReply
    ) {
        do throws(FileError) {
            let (descriptor, path) = (descriptor(inode), inodes.inode(inode).path)
            if let bits = change.permissions { try succeed(chmod(path, bits)) }
            if change.uid != nil || change.gid != nil {
                try succeed(
                    fchownat(
                        descriptor, "", change.uid ?? .max, change.gid ?? .max,
                        LinuxConstants.atEmptyPath | AT_SYMLINK_NOFOLLOW))
            }
            if let size = change.size {
                let size = Int(size)
                try succeed(handle.map { ftruncate(CInt($0.rawValue), size) } ?? truncate(path, size))
            }
            if change.accessTime != nil || change.modifyTime != nil {
                try succeed(utimensat(AT_FDCWD, path, [timespec(change.accessTime), timespec(change.modifyTime)], 0))
            }
            reply.attributes(try attributes(of: inode), timeout: timeouts.attributes)
        } catch {
            reply.error(error)
        }
    }

    func statistics(_ inode: InodeID, reply: FuseStatisticsReply) {
        do throws(FileError) {
            var result = statvfs()
            try succeed(fstatvfs(descriptor(inode), &result))
            var statistics = FuseStatistics()
            statistics.blockBytes = UInt64(result.f_frsize)
            statistics.blocksTotal = UInt64(result.f_blocks)
            statistics.blocksFree = UInt64(result.f_bavail)
            statistics.inodesTotal = UInt64(result.f_files)
            statistics.inodesFree = UInt64(result.f_ffree)
            reply.statistics(statistics)
        } catch {
            reply.error(error)
        }
    }
}

extension timespec {
    /// As utimensat(2) wants it: UTIME_NOW and UTIME_OMIT are special nanoseconds.
    fileprivate init(_ time: FuseAttributeChange.Time?) {
        switch time {
        case .at(let time): self = time.timespec
        case .now: self.init(tv_sec: 0, tv_nsec: (1 << 30) - 1)
        case nil: self.init(tv_sec: 0, tv_nsec: (1 << 30) - 2)
        }
    }
}
