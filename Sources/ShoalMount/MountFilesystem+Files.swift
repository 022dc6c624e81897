import ShoalClient
import ShoalFUSE
import ShoalTypes

extension MountFilesystem {
    func open(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        open(inode, flags, for: writer(of: reply.request)) { [self] result in
            switch result {
            case .success:
                let handle = nextHandle()
                if flags.isTruncate { client.kernelIsAnswered(inode, size: 0) }
                let isTaken = reply.opened(handle, options: openOptions(inode, handle, flags))
                opened(inode, handle, flags, isTaken: isTaken)
            case .failure(let error): reply.error(gone(error))
            }
        }
    }

    private func release(
        _ inode: InodeID, _ handle: FuseFileHandle, _ flags: FuseOpenFlags, completion: @escaping Completion<Void>
    ) {
        handleIsClosed(inode, handle)
        if flags.isReadWrite { client.storesEnded(inode) }
        if flags.isWritable { client.writerClosed(inode) }
        client.release(inode, completion: completion)
    }

    private func open(
        _ inode: InodeID, _ flags: FuseOpenFlags, for writer: Writer,
        completion: @escaping Completion<FileAttributes>
    ) {
        client.open(inode, truncates: flags.isTruncate, by: writer) { [self] result in
            guard case .success = result else { return completion(result) }
            expectWrites(inode, flags) { completion(result) }
        }
    }

    private func expectWrites(_ inode: InodeID, _ flags: FuseOpenFlags, completion: @escaping () -> Void) {
        if flags.isWritable { client.writerOpened(inode) }
        if flags.isReadWrite { client.expectStores(inode, completion: completion) } else { completion() }
    }

    func create(
        _ name: FileName, in parent: InodeID, mode: UInt32, flags: FuseOpenFlags, caller: FuseCaller,
        reply: FuseCreateReply
    ) {
        var file = Client.NewFile(
            mode: mode & ~FileKind.mask | FileKind.regular.rawValue, uid: caller.uid, gid: caller.gid)
        file.umask = caller.umask
        file.opens = true
        create(Creation(name: name, parent: parent, file: file, flags: flags, caller: caller, reply: reply))
    }

    private struct Creation {
        let name: FileName
        let parent: InodeID
        let file: Client.NewFile
        let flags: FuseOpenFlags
        let caller: FuseCaller
        let reply: FuseCreateReply
        /// Others may make and remove the name again and again.
        var attemptsLeft = 8
    }

    private func create(_ creation: Creation) {
        client.create(creation.parent, creation.name, creation.file) { [self] result in
            switch result {
            case .success(let attributes):
                expectWrites(attributes.inode, creation.flags) { [self] in created(attributes, creation) }
            case .failure(.exists) where !creation.flags.isExclusive: openExisting(creation)
            case .failure(let error): creation.reply.error(error)
            }
        }
    }

    /// The name appeared after the kernel had looked it up.
    private func openExisting(_ creation: Creation) {
        client.lookup(creation.parent, creation.name) { [self] result in
            switch result {
            case .failure(let error): creation.reply.error(error)
            case .success(nil): createAgain(creation)
            case .success(let found?):
                // ESTALE: the kernel looks the name up, follows it or checks that the caller may open it. Neither it
                // nor we have done that.
                guard found.kind == .regular, creation.caller.uid == 0 else { return creation.reply.error(.stale) }
                open(found.inode, creation.flags, for: writer(of: creation.reply.request)) { [self] result in
                    switch result {
                    case .success(let attributes): created(attributes, creation)
                    case .failure(.notFound): createAgain(creation)
                    case .failure(let error): creation.reply.error(error)
                    }
                }
            }
        }
    }

    private func createAgain(_ creation: Creation) {
        var creation = creation
        creation.attemptsLeft -= 1
        if creation.attemptsLeft > 0 { create(creation) } else { creation.reply.error(.stale) }
    }

    private func created(_ attributes: FileAttributes, _ creation: Creation) {
        let handle = nextHandle()
        client.whenKernelHasForgotten { [self] in
            client.kernelIsAnswered(attributes.inode, size: attributes.size)
            let isTaken = creation.reply.created(
                attributes, handle, options: openOptions(attributes.inode, handle, creation.flags))
            if isTaken { client.kernelLearned(attributes.inode) }
            opened(attributes.inode, handle, creation.flags, isTaken: isTaken)
        }
    }

    /// - Parameter isTaken: false if the kernel gave the open up: it will not release it.
    private func opened(_ inode: InodeID, _ handle: FuseFileHandle, _ flags: FuseOpenFlags, isTaken: Bool) {
        guard isTaken else { return release(inode, handle, flags) { _ in } }
        if flags.keepsAccessTime { keepAccessTime.insert(handle) }
    }

    func read(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, flags: FuseOpenFlags, reply: FuseReadReply
    ) {
        guard !client.hasLostLocks(OpenFileID(handle.rawValue)) else { return reply.error(.inputOutput) }
        client.read(inode, offset: offset, length: count, keepsAccessTime: flags.keepsAccessTime) { result in
            switch result {
            case .success(let pieces): reply.gather(pieces)
            case .failure(let error): reply.error(error)
            }
        }
    }

    func readPages(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, flags: FuseOpenFlags, reply: FuseReadReply
    ) {
        guard !client.hasLostLocks(OpenFileID(handle.rawValue)) else { return reply.error(.inputOutput) }
        client.readPages(inode, offset: offset, length: count, keepsAccessTime: flags.keepsAccessTime) { result in
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
        let writer = writer(of: reply.request)
        client.write(inode, flags.isAppend ? .end : .at(offset), bytes, by: writer) { [self] result in
            guard case .success(let count) = result, flags.isSynchronous else { return finish(reply)(result) }
            client.sync(inode) { [self] result in finish(reply)(result.map { count }) }
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
        keepAccessTime.remove(handle)
        client.fileReleased(OpenFileID(handle.rawValue)) { _ in }
        release(inode, handle, flags, completion: finish(reply))
    }

    func synchronize(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        client.sync(inode, completion: finish(reply))
    }
}
