import ShoalTypes

/// What a filesystem does with the kernel's requests: one method per operation, called on the thread that calls
/// `FuseSession.process(_:)` (or on any of `run(threads:)`'s).
///
/// Each method answers its `reply` exactly once, now or later, from any thread. Pointers among the arguments are valid
/// only until the method returns. The kernel checks permissions (`default_permissions`) and has applied the umask, unless
/// `FuseMountOptions.hasAccessControlLists`: then the filesystem does, where no default ACL takes its place.
///
/// Inodes: every entry that the kernel took (`entry`, `created`, and each `add` of a directory reply with attributes)
/// counts one lookup; the inode stays known to the kernel until `forget` has given all of them back. The root always
/// is.
package protocol FuseFilesystem: AnyObject {
    func lookup(_ name: FileName, in parent: InodeID, reply: FuseEntryReply)
    /// The kernel gives `lookups` lookups of `inode` back. Needs no answer.
    func forget(_ inode: InodeID, lookups: UInt64)

    /// `handle` is given when the call came through an open file (fstat).
    func getAttributes(of inode: InodeID, handle: FuseFileHandle?, reply: FuseAttributesReply)
    /// `handle` is given when the call came through an open file (ftruncate).
    func setAttributes(
        of inode: InodeID, _ change: FuseAttributeChange, handle: FuseFileHandle?, reply: FuseAttributesReply)
    func readLink(_ inode: InodeID, reply: FuseLinkTargetReply)

    func makeNode(
        _ name: FileName, in parent: InodeID, mode: UInt32, device: UInt32, caller: FuseCaller, reply: FuseEntryReply)
    func makeDirectory(
        _ name: FileName, in parent: InodeID, mode: UInt32, caller: FuseCaller, reply: FuseEntryReply)
    /// `target` has 1...4095 bytes.
    func makeSymlink(
        _ name: FileName, in parent: InodeID, target: [UInt8], caller: FuseCaller, reply: FuseEntryReply)
    func makeLink(to inode: InodeID, _ name: FileName, in parent: InodeID, reply: FuseEntryReply)
    func unlink(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply)
    func removeDirectory(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply)
    func rename(
        _ name: FileName, in parent: InodeID, to newName: FileName, in newParent: InodeID, flags: FuseRenameFlags,
        reply: FuseEmptyReply)

    /// Opens an existing file; `flags` never holds O_CREAT, O_EXCL, but O_TRUNC, which is the filesystem's to do.
    func open(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply)
    /// Creates and opens a regular file. `flags.isExclusive`: `.exists` if the name is there. Otherwise an existing
    /// file may be opened (the kernel looked the name up just before, and it was absent then).
    func create(
        _ name: FileName, in parent: InodeID, mode: UInt32, flags: FuseOpenFlags, caller: FuseCaller,
        reply: FuseCreateReply)
    /// At most `count` bytes from `offset`; fewer only at the end of the file. `flags` are those of the open file now.
    func read(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, flags: FuseOpenFlags, reply: FuseReadReply
    )
    /// Like `read`, for pages that the kernel keeps: of a mapping, or for splice(2) and sendfile(2). It drops them when
    /// it likes, or when it is told to (`FuseSession.dropPages`).
    func readPages(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, flags: FuseOpenFlags, reply: FuseReadReply
    )
    /// `bytes` (1 MiB at most) is valid only during the call. `flags` are those of the open file now (O_APPEND,
    /// O_SYNC; fcntl(2) may have changed them). The kernel's offset for O_APPEND may be stale.
    func write(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, bytes: UnsafeRawBufferPointer, flags: FuseOpenFlags,
        reply: FuseWriteReply)
    /// Pages that a shared mapping changed, written back by the kernel when it sees fit. They may reach past the end of
    /// the file if that has become shorter elsewhere, and must not make it longer.
    func writePages(_ inode: InodeID, offset: UInt64, bytes: UnsafeRawBufferPointer, reply: FuseWriteReply)
    /// The first place of that kind at or after `offset`; the end of the file is a hole. `.noSuchAddress` past the end,
    /// and if no data follows.
    func seek(
        _ inode: InodeID, handle: FuseFileHandle, from offset: UInt64, to target: FuseSeekTarget, reply: FuseSeekReply)
    /// fallocate(2); `length` is not 0. The kernel lets only `keepSize`, `punchHole` and `zeroRange` through.
    func allocate(
        _ inode: InodeID, handle: FuseFileHandle, _ allocation: FuseAllocation, offset: UInt64, length: UInt64,
        reply: FuseEmptyReply)
    /// copy_file_range(2), both files of this mount; fewer bytes than `count` may be copied, 0 only at the source's
    /// end. `targetFlags` are those of the open target.
    func copy(
        from source: InodeID, sourceHandle: FuseFileHandle, sourceOffset: UInt64, to target: InodeID,
        targetOffset: UInt64, count: Int, targetFlags: FuseOpenFlags, reply: FuseWriteReply)
    /// A descriptor of the file was closed; called once per close(2), whose result is the reply. The record locks of
    /// `owner`, the process, end.
    func flush(_ inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseEmptyReply)
    /// The last descriptor of this open file is gone. Nobody sees an error. OFD locks and flocks taken through `handle`
    /// end.
    func release(_ inode: InodeID, handle: FuseFileHandle, flags: FuseOpenFlags, reply: FuseEmptyReply)
    func synchronize(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply)

    /// fcntl(2) F_GETLK. Only with `FuseMountOptions.servesLocks`, as the two that follow.
    func testLock(
        _ lock: FuseRecordLock, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseLockReply)
    /// fcntl(2) F_SETLK; F_SETLKW if `waits`, and then `reply.request.onInterrupt` tells of a signal. `mode` nil
    /// unlocks. The owner is a process or, for OFD locks, an open file: the kernel does not say which.
    func setLock(
        _ lock: FuseRecordLock, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, waits: Bool,
        reply: FuseEmptyReply)
    /// flock(2). The owner is the open file.
    func setFileLock(
        _ mode: LockMode?, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, waits: Bool,
        reply: FuseEmptyReply)

    func openDirectory(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply)
    /// Adds the dots and then the entries that follow `cookie` to `reply` until it is full or there are no more.
    func readDirectory(
        _ inode: InodeID, handle: FuseFileHandle, after cookie: FuseDirectoryCookie, reply: FuseDirectoryReply)
    func releaseDirectory(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply)
    func synchronizeDirectory(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply)
    func statistics(_ inode: InodeID, reply: FuseStatisticsReply)

    func setExtendedAttribute(
        _ name: [UInt8], of inode: InodeID, value: UnsafeRawBufferPointer,
        flags: FuseExtendedAttributeFlags, reply: FuseEmptyReply)
    func getExtendedAttribute(_ name: [UInt8], of inode: InodeID, reply: FuseExtendedAttributeReply)
    /// The names, each ended by a NUL.
    func listExtendedAttributes(of inode: InodeID, reply: FuseExtendedAttributeReply)
    func removeExtendedAttribute(_ name: [UInt8], of inode: InodeID, reply: FuseEmptyReply)
}

/// A filesystem whose mappings' pages are read and written like anything else, and that leaves holes, allocation and copies to
/// the kernel: told "not implemented" once, it takes files for solid, refuses fallocate(2), and copies by reading and
/// writing.
extension FuseFilesystem {
    package func readPages(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, flags: FuseOpenFlags, reply: FuseReadReply
    ) {
        read(inode, handle: handle, offset: offset, count: count, flags: flags, reply: reply)
    }

    package func writePages(
        _ inode: InodeID, offset: UInt64, bytes: UnsafeRawBufferPointer, reply: FuseWriteReply
    ) {
        write(
            inode, handle: FuseFileHandle(0), offset: offset, bytes: bytes, flags: FuseOpenFlags(rawValue: 1),
            reply: reply)
    }

    package func seek(
        _ inode: InodeID, handle: FuseFileHandle, from offset: UInt64, to target: FuseSeekTarget, reply: FuseSeekReply
    ) {
        reply.error(.notImplemented)
    }

    package func allocate(
        _ inode: InodeID, handle: FuseFileHandle, _ allocation: FuseAllocation, offset: UInt64, length: UInt64,
        reply: FuseEmptyReply
    ) {
        reply.error(.notImplemented)
    }

    package func copy(
        from source: InodeID, sourceHandle: FuseFileHandle, sourceOffset: UInt64, to target: InodeID,
        targetOffset: UInt64, count: Int, targetFlags: FuseOpenFlags, reply: FuseWriteReply
    ) {
        reply.error(.notImplemented)
    }
}

/// A filesystem without locks of its own (the kernel keeps them, for this mount alone), and without extended attributes:
/// the kernel asks once, hears "not implemented", and from then on answers EOPNOTSUPP by itself.
extension FuseFilesystem {
    package func testLock(
        _ lock: FuseRecordLock, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseLockReply
    ) {
        reply.error(.notImplemented)
    }

    package func setLock(
        _ lock: FuseRecordLock, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, waits: Bool,
        reply: FuseEmptyReply
    ) {
        reply.error(.notImplemented)
    }

    package func setFileLock(
        _ mode: LockMode?, of inode: InodeID, handle: FuseFileHandle, owner: LockOwner, waits: Bool,
        reply: FuseEmptyReply
    ) {
        reply.error(.notImplemented)
    }

    package func setExtendedAttribute(
        _ name: [UInt8], of inode: InodeID, value: UnsafeRawBufferPointer,
        flags: FuseExtendedAttributeFlags, reply: FuseEmptyReply
    ) {
        reply.error(.notImplemented)
    }

    package func getExtendedAttribute(_ name: [UInt8], of inode: InodeID, reply: FuseExtendedAttributeReply) {
        reply.error(.notImplemented)
    }

    package func listExtendedAttributes(of inode: InodeID, reply: FuseExtendedAttributeReply) {
        reply.error(.notImplemented)
    }

    package func removeExtendedAttribute(_ name: [UInt8], of inode: InodeID, reply: FuseEmptyReply) {
        reply.error(.notImplemented)
    }
}
