import CFuse3
import Glibc
import ShoalTypes

extension FileAttributes {
    /// What `st_blksize` says: how much stdio and cp read and write at once. Requests cost the same up to here.
    package static let preferredIOBytes = 65_536

    package var stat: stat {
        var result = Glibc.stat()
        result.st_ino = UInt(inode.rawValue)
        result.st_mode = mode
        result.st_nlink = UInt(linkCount)
        result.st_uid = uid
        result.st_gid = gid
        result.st_rdev = UInt(device)
        result.st_size = Int(size)
        result.st_blksize = FileAttributes.preferredIOBytes
        // Of anything but a file, what its size suggests.
        result.st_blocks = Int(((kind == .regular ? allocatedBytes : size) + 511) / 512)
        result.st_atim = accessTime.timespec
        result.st_mtim = modifyTime.timespec
        result.st_ctim = changeTime.timespec
        return result
    }

    func entryParameters(_ timeouts: FuseCacheTimeouts, generation: UInt64) -> fuse_entry_param {
        var result = fuse_entry_param()
        result.ino = inode.rawValue
        result.generation = generation
        result.attr = stat
        result.attr_timeout = timeouts.attributes
        result.entry_timeout = timeouts.entry
        return result
    }
}
