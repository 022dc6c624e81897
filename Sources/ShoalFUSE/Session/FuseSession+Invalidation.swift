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

    /// The same before it returns, for one inode; false if the kernel does not have it. Only for what can be evicted without a
    /// request: a directory, or a file that nobody has open (vm_ops of its mappings write back before RELEASE is sent, and
    /// reads of its pages hold that up).
    package func dropAttributesAtOnce(of inode: InodeID) -> Bool {
        fuse_lowlevel_notify_inval_inode(session, inode.rawValue, -1, 0) != -ENOENT
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

    /// Threads that may wait in the kernel: never one that serves requests.
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
        DispatchQueue(label: "fuse-pages").async { [self] in
            for range in ranges {
                // ENOENT and ENODEV mean that there is nothing to drop.
                _ = fuse_lowlevel_notify_inval_inode(
                    session, inode.rawValue, off_t(range.lowerBound), off_t(range.upperBound - range.lowerBound))
            }
            completion()
        }
    }

    /// Makes the file at least `size` bytes long for the kernel. `completion` runs on another thread, after that; also if the
    /// kernel knows no such inode, or the mount has ended.
    ///
    /// The kernel goes by its own `i_size` when it reads from pages, and throws away an answer to GETATTR if it is told to
    /// forget before it has taken that in. FUSE_NOTIFY_STORE sets the size at once, before it takes the bytes that come with
    /// it (fuse_notify_store in fs/fuse/dev.c, Linux 2.6.36 to 6.18). There need be no bytes: this sends one from an address
    /// that cannot be read, so that no page is touched.
    ///
    /// Waits for the file's last page if that is being read.
    package func growFile(
        _ inode: InodeID, to size: UInt64, completion: @escaping @Sendable () -> Void
    ) {
        precondition(size > 0 && size <= UInt64(Int64.max))
        DispatchQueue(label: "fuse-sizes").async { [self] in
            let store = fuse_notify_store_out(nodeid: inode.rawValue, offset: size - 1, size: 1, padding: 0)
            let length = MemoryLayout<fuse_out_header>.size + MemoryLayout<fuse_notify_store_out>.size + 1
            let header = fuse_out_header(
                len: UInt32(length), error: CInt(bitPattern: FUSE_NOTIFY_STORE.rawValue), unique: 0)
            // Not by libfuse, which complains of each on standard error. EFAULT is what is expected; ENOENT and ENODEV mean
            // that there is nothing to grow.
            withUnsafeBytes(of: (header, store)) { head in
                let parts = [
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: length - 1),
                    iovec(iov_base: FuseSession.unreadable, iov_len: 1),
                ]
                _ = writev(descriptor, parts, CInt(parts.count))
            }
            completion()
        }
    }

    /// The address of a page that may not be read.
    private nonisolated(unsafe) static let unreadable = {
        let page = mmap(nil, Int(getpagesize()), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        precondition(page != MAP_FAILED, "no address space left")
        return page
    }()
}
