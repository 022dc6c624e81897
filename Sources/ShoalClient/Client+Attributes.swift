import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    package func attributes(of id: InodeID, completion: @escaping Completion<FileAttributes>) {
        // Until a recall is answered the lease stands, and while another operation has the inode to itself, too: the server
        // need not know all that this mount has changed under it.
        if let inode = inodes.existing(id), inode.grant.mode >= .read, metadata.leasesAreUsable,
            !inode.attributesAreOld
        {
            return completion(.success(inode.shownAttributes))
        }
        metadata.request(.getAttributes, isChange: false, { InodeRequest(caller: $0, inode: id) }) { [self] reply in
            switch reply.decode(EntryReply.self) {
            case .success(let entry): completion(.success(taught(by: entry)))
            case .failure(.failed(.notFound)):
                completion(lastAttributes(id).map { .success($0) } ?? .failure(.notFound))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    /// Of what has been removed, and is known to be in use here. A directory that another mount removed while it is open here has
    /// them still (the kernel asks for them before it lists it from its pages).
    private func lastAttributes(_ id: InodeID) -> FileAttributes? {
        if let attributes = goneAttributes[id] { return attributes }
        guard let inode = inodes.existing(id), inode.kernelListing.openCount > 0, inode.isDirectory else { return nil }
        var attributes = inode.attributes
        attributes.linkCount = 0
        return attributes
    }

    /// The attributes to show for an entry: those of the server, with what this mount has changed and not committed.
    func taught(by entry: EntryReply) -> FileAttributes {
        let inode = learn(entry.attributes, entry.grant)
        if inode.grant.mode == .part { return inode.merged(into: entry.attributes) }
        return inode.grant.mode >= .read ? inode.shownAttributes : entry.attributes
    }

    /// chmod(2), chown(2), truncate(2), utimensat(2).
    package func setAttributes(
        of id: InodeID, _ change: AttributeChange, by writer: Writer = .privileged,
        completion: @escaping Completion<FileAttributes>
    ) {
        let inode = inodes.inode(id)
        if setUnderLease(inode, change) { return completion(.success(inode.shownAttributes)) }
        if let size = change.size { return truncate(inode, to: size, change, by: writer, completion: completion) }
        guard case .ordinary = writer, change.uid != nil || change.gid != nil else {
            return setOnServer(inode, change, completion: completion)
        }
        attributes(of: id) { [self] result in
            guard case .success(let attributes) = result else { return completion(result) }
            var change = change
            change.take(writer.permissionsLeft(attributes))
            setOnServer(inode, change, completion: completion)
        }
    }

    /// - Parameter beforeLearning: Runs when the reply has come, and what it says has not been taken in.
    func setOnServer(
        _ inode: Inode, _ change: AttributeChange, beforeLearning: @escaping () -> Void = {},
        completion: @escaping Completion<FileAttributes>
    ) {
        // A time set by hand must not be overwritten by the commit of an earlier write: the commit sends the local
        // times.
        if inode.grant.mode.allowsWriting, let time = change.modifyTime { inode.attributes.modifyTime = time }
        var change = change
        if let time = change.accessTime {
            forgetAccess(inode.id)
            if accessTimesToCommit.contains(inode.id) { inode.attributes.accessTime = time }
        } else {
            change.accessTime = accessTimeToCommit(inode)
        }
        let isExtended = change.changesExtendedAttributes
        if isExtended { beginExtendedAttributeChange(of: inode) }
        metadata.request(
            .setAttributes, isChange: true,
            { [change] in SetAttributesRequest(caller: $0, inode: inode.id, change: change) }
        ) { [self] reply in
            if isExtended { endExtendedAttributeChange(of: inode) }
            beforeLearning()
            switch reply.decode(EntryReply.self) {
            case .success(let entry): completion(.success(taught(by: entry)))
            case .failure(let status):
                // A time may have been set here already.
                if !inode.isDirty { inode.attributesAreOld = true }
                attributesChanged(inode)
                guard status == .failed(.notFound), let gone = changeGone(inode.id, change) else {
                    return completion(.failure(status.fileError))
                }
                completion(.success(gone))
            }
        }
    }

    package func readLink(_ id: InodeID, completion: @escaping Completion<[UInt8]>) {
        noteAccess(id)
        metadata.request(.readLink, isChange: false, { InodeRequest(caller: $0, inode: id) }) { reply in
            switch reply.decode(ReadLinkReply.self) {
            case .success(let message): completion(.success(message.target))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    /// Space as it is for the inode: what its quotas leave of it. Of inode 0: that of the cluster.
    package func statistics(of id: InodeID, completion: @escaping Completion<FileSystemStatistics>) {
        metadata.request(.statFileSystem, isChange: false, { InodeRequest(caller: $0, inode: id) }) { reply in
            switch reply.decode(FileSystemStatistics.self) {
            case .success(let message): completion(.success(message))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }
}

extension Client {
    /// The clock that file times are taken from.
    package var wallClock: Timestamp { scheduler.wallClock }
}
