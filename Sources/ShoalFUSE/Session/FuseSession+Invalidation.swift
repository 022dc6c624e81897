import CFuse3
import Dispatch
import Glibc
import ShoalTypes

extension FuseSession {
    /// Makes the kernel ask again for the attributes of these inodes, and forget their ACLs. `completion` runs on another
    /// thread, after that, with those that the kernel does not have: the answer that tells it of one may be on its way.
    ///
    /// Takes no lock that a request may hold, but waits for an inode that is being evicted, and so for the write-back of
    /// its pages.
    package func dropAttributes(
        of inodes: [InodeID], completion: @escaping @Sendable (_ unknown: [InodeID]) -> Void
    ) {
        FuseSession.notifications.async { [self] in
            completion(
                inodes.filter { fuse_lowlevel_notify_inval_inode(session, $0.rawValue, -1, 0) == -ENOENT })
        }
    }

    /// Makes the kernel forget what these names of a directory refer to, or that they are absent, and detach what is mounted
    /// below them. `completion` runs on another thread, after that; also if the kernel knows no such directory, or the
    /// mount has ended. It does not run if the kernel could not do it.
    ///
    /// Waits for the directory's lock, which a call holds that looks up, makes, removes or renames something in it, until
    /// that has been answered.
    package func dropNames(
        of directory: InodeID, _ names: [FileName], completion: @escaping @Sendable () -> Void
    ) {
        // A queue of its own has a thread of its own: the shared one has no more threads than there are processors.
        DispatchQueue(label: "fuse-names").async { [self] in
            for name in names {
                let status = name.withCString {
                    fuse_lowlevel_notify_inval_entry(session, directory.rawValue, $0, name.bytes.count)
                }
                // ENOENT and ENODEV mean that there is nothing to forget.
                guard [0, -ENOENT, -ENODEV].contains(status) else { return }
            }
            completion()
        }
    }

    /// Threads that may wait in the kernel for pages or a lock: never one that serves requests, and one that waits holds up no
    /// other.
    private static let notifications = DispatchQueue(label: "fuse-notifications", attributes: .concurrent)

    /// Makes the kernel write back and drop the pages it has in these ranges of the file, as it has them for mappings,
    /// and its attributes. `completion` runs on another thread, after that; also if the kernel knows no such inode, or the
    /// mount has ended.
    ///
    /// The kernel sends the dirty pages with WRITE and waits for each answer, and it waits for the answer to every READ
    /// of a page that is under way: both must be answered meanwhile.
    package func dropPages(
        of inode: InodeID, _ ranges: [Range<UInt64>], completion: @escaping @Sendable () -> Void
    ) {
        FuseSession.notifications.async { [self] in
            for range in ranges {
                // ENOENT and ENODEV mean that there is nothing to drop.
                _ = fuse_lowlevel_notify_inval_inode(
                    session, inode.rawValue, off_t(range.lowerBound), off_t(range.upperBound - range.lowerBound))
            }
            completion()
        }
    }
}
