import CFuse3
import ShoalTypes

extension fuse_lowlevel_ops {
    mutating func addForget() {
        forget = { request, inode, lookups in
            FuseSession.of(request!).filesystem.forget(InodeID(inode), lookups: lookups)
            fuse_reply_none(request)
        }
        forget_multi = { request, count, forgets in
            let filesystem = FuseSession.of(request!).filesystem
            for entry in UnsafeBufferPointer(start: forgets, count: count) {
                filesystem.forget(InodeID(entry.ino), lookups: entry.nlookup)
            }
            fuse_reply_none(request)
        }
    }
}
