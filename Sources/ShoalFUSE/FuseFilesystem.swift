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
    /// The parent of a directory, for `d_ino` of its `..`; nil if not known (the kernel's "unknown inode" is shown).
    func parent(ofDirectory inode: InodeID) -> InodeID?

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
    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(_ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, reply: FuseReadReply)
    /// `bytes` (1 MiB at most) is valid only during the call. `flags` are those of the open file now (O_APPEND,
    /// O_SYNC; fcntl(2) may have changed them). The kernel's offset for O_APPEND may be stale.
    func write(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, bytes: UnsafeRawBufferPointer, flags: FuseOpenFlags,
        reply: FuseWriteReply)
    /// A descriptor of the file was closed; called once per close(2), whose result is the reply.
    func flush(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply)
    /// The last descriptor of this open file is gone. Nobody sees an error.
    func release(_ inode: InodeID, handle: FuseFileHandle, flags: FuseOpenFlags, reply: FuseEmptyReply)
    func synchronize(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply)

    func openDirectory(_ inode: InodeID, reply: FuseOpenReply)
    /// Adds the entries that follow `cookie` to `reply` until it is full or there are no more. `.` and `..` are the
    /// adapter's.
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

/// A filesystem without extended attributes: the kernel asks once, hears "not implemented", and from then on answers
/// EOPNOTSUPP by itself.
extension FuseFilesystem {
    package func parent(ofDirectory inode: InodeID) -> InodeID? { nil }

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
