import ShoalClient
import ShoalFUSE
import ShoalTypes

extension MountFilesystem {
    func open(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        client.open(inode, writes: flags.isWritable, truncates: flags.isTruncate) { [self] result in
            switch result {
            case .success:
                let isTaken = reply.opened(handle(of: inode), options: MountFilesystem.openOptions)
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
                client.open(found.inode, writes: flags.isWritable, truncates: flags.isTruncate) { [self] result in
                    switch result {
                    case .success(let attributes): created(attributes, reply)
                    case .failure(let error): reply.error(error)
                    }
                }
            }
        }
    }

    private func created(_ attributes: FileAttributes, _ reply: FuseCreateReply) {
        let isTaken = reply.created(attributes, handle(of: attributes.inode), options: MountFilesystem.openOptions)
        if !isTaken { client.release(attributes.inode) { _ in } }
    }

    func read(_ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, reply: FuseReadReply) {
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

    func flush(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply) {
        client.flush(inode, completion: finish(reply))
    }

    func release(_ inode: InodeID, handle: FuseFileHandle, flags: FuseOpenFlags, reply: FuseEmptyReply) {
        client.release(inode, completion: finish(reply))
    }

    func synchronize(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        client.sync(inode, completion: finish(reply))
    }
}
