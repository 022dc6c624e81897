import ShoalClient
import ShoalFUSE
import ShoalTypes

extension MountFilesystem {
    func open(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        client.open(inode, truncates: flags.isTruncate) { [self] result in
            switch result {
            case .success:
                let isTaken = reply.opened(nextHandle(), options: MountFilesystem.openOptions)
                if !isTaken { client.release(inode) { _ in } }
            case .failure(let error): reply.error(error)
            }
        }
    }

    func create(
        _ name: FileName, in parent: InodeID, mode: UInt32, flags: FuseOpenFlags, caller: FuseCaller,
        reply: FuseCreateReply
    ) {
        var file = Client.NewFile(
            mode: mode & ~FileKind.mask | FileKind.regular.rawValue, uid: caller.uid, gid: caller.gid)
        file.umask = caller.umask
        file.opens = true
        client.create(parent, name, file) { [self] result in
            switch result {
            case .success(let attributes): created(attributes, reply)
            case .failure(.exists) where !flags.isExclusive: openExisting(name, in: parent, flags, reply)
            case .failure(let error): reply.error(error)
            }
        }
    }

    /// The name appeared after the kernel had looked it up.
    private func openExisting(_ name: FileName, in parent: InodeID, _ flags: FuseOpenFlags, _ reply: FuseCreateReply) {
        client.lookup(parent, name) { [self] result in
            switch result {
            case .failure(let error): reply.error(error)
            case .success(nil): reply.error(.notFound)
            case .success(let found?):
                guard found.kind == .regular else {
                    return reply.error(found.kind == .directory ? .isDirectory : .exists)
                }
                client.open(found.inode, truncates: flags.isTruncate) { [self] result in
                    switch result {
                    case .success(let attributes): created(attributes, reply)
                    case .failure(let error): reply.error(error)
                    }
                }
            }
        }
    }

    private func created(_ attributes: FileAttributes, _ reply: FuseCreateReply) {
        let isTaken = reply.created(attributes, nextHandle(), options: MountFilesystem.openOptions)
        if !isTaken { client.release(attributes.inode) { _ in } }
    }

    func read(_ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, reply: FuseReadReply) {
        guard !client.hasLostLocks(OpenFileID(handle.rawValue)) else { return reply.error(.inputOutput) }
        client.read(inode, offset: offset, length: count) { result in
            switch result {
            case .success(let pieces): reply.gather(pieces)
            case .failure(let error): reply.error(error)
            }
        }
    }

    func write(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, bytes: UnsafeRawBufferPointer, flags: FuseOpenFlags,
        reply: FuseWriteReply
    ) {
        guard !client.hasLostLocks(OpenFileID(handle.rawValue)) else { return reply.error(.inputOutput) }
        client.write(inode, flags.isAppend ? .end : .at(offset), bytes) { [self] result in
            switch result {
            case .success(let count) where flags.isSynchronous:
                client.sync(inode) { result in
                    switch result {
                    case .success: reply.written(count)
                    case .failure(let error): reply.error(error)
                    }
                }
            case .success(let count): reply.written(count)
            case .failure(let error): reply.error(error)
            }
        }
    }

    func writePages(_ inode: InodeID, offset: UInt64, bytes: UnsafeRawBufferPointer, reply: FuseWriteReply) {
        client.writePages(inode, offset: offset, bytes) { result in
            switch result {
            case .success(let count): reply.written(count)
            case .failure(let error): reply.error(error)
            }
        }
    }

    /// Locks go after the bytes: whoever gets them next need not wait for these.
    func flush(_ inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseEmptyReply) {
        client.flush(inode) { [self] written in
            client.ownerClosed(inode, owner) { [self] _ in finish(reply)(written) }
        }
    }

    func release(_ inode: InodeID, handle: FuseFileHandle, flags: FuseOpenFlags, reply: FuseEmptyReply) {
        client.fileReleased(OpenFileID(handle.rawValue)) { _ in }
        client.release(inode, completion: finish(reply))
    }

    func synchronize(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        client.sync(inode, completion: finish(reply))
    }
}
