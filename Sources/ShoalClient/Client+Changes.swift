import ShoalRPC
import ShoalTypes
import ShoalWire

/// Changes of directories. The server decides; this mount's caches follow its replies, in their order.
extension Client {
    /// Who makes a file, and with what (open(2) O_CREAT, mkdir(2), mknod(2), symlink(2)).
    package struct NewFile: Sendable {
        package var mode: UInt32
        /// Permissions that the caller does not give, unless the directory has a default ACL.
        package var umask: UInt32 = 0
        package var uid: UInt32
        package var gid: UInt32
        package var device: UInt32 = 0
        package var target: [UInt8] = []
        /// It is opened for writing at once.
        package var opens = false
        package init(mode: UInt32, uid: UInt32, gid: UInt32) {
            self.mode = mode
            self.uid = uid
            self.gid = gid
        }
    }

    package func create(
        _ parent: InodeID, _ name: FileName, _ file: NewFile, completion: @escaping Completion<FileAttributes>
    ) {
        metadata.request(
            .create, isChange: true,
            { caller in
                var request = CreateRequest()
                request.caller = caller
                request.parent = parent
                request.name = name
                request.mode = file.mode
                request.umask = file.umask
                request.uid = file.uid
                request.gid = file.gid
                request.device = file.device
                request.target = file.target
                request.opensForWriting = file.opens
                return request
            }
        ) { [self] reply in
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                let directory = learnDirectory(parent, entry.parentGrant, entry.parent)
                remember(name, entry.attributes.inode, in: directory)
                let attributes = taught(by: entry)
                let inode = inodes.inode(attributes.inode)
                // Made just now, by this mount: nobody else has written to it, and a directory is empty.
                inode.mayHaveForeignUnsynced = false
                if attributes.kind == .directory, inode.grant.mode >= .read { inode.namesAreComplete = true }
                if file.opens { inode.openCount += 1 }
                completion(.success(attributes))
            case .failure(let status):
                if let directory = inodes.existing(parent) { forget(name, in: directory) }
                completion(.failure(status.fileError))
            }
        }
    }

    package func link(
        _ id: InodeID, _ parent: InodeID, _ name: FileName, completion: @escaping Completion<FileAttributes>
    ) {
        metadata.request(
            .link, isChange: true, { LinkRequest(caller: $0, inode: id, parent: parent, name: name) }
        ) { [self] reply in
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                let directory = learnDirectory(parent, entry.parentGrant, entry.parent)
                remember(name, id, in: directory)
                completion(.success(taught(by: entry)))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    package func unlink(_ parent: InodeID, _ name: FileName, completion: @escaping Completion<Void>) {
        remove(.unlink, parent, name, completion)
    }

    package func removeDirectory(_ parent: InodeID, _ name: FileName, completion: @escaping Completion<Void>) {
        remove(.removeDirectory, parent, name, completion)
    }

    private func remove(
        _ operation: Operation, _ parent: InodeID, _ name: FileName, _ completion: @escaping Completion<Void>
    ) {
        let unused = unusedInode(parent, name)
        metadata.request(
            operation, isChange: true, { NameRequest(caller: $0, parent: parent, name: name, unused: unused) }
        ) { [self] reply in
            switch reply.decode(RemovalReply.self) {
            case .success(let removal):
                noteChanged(directory: parent)
                if let directory = inodes.existing(parent) { remember(name, nil, in: directory) }
                removed(removal)
                completion(.success(()))
            case .failure(let status):
                if let directory = inodes.existing(parent) { forget(name, in: directory) }
                completion(.failure(status.fileError))
            }
        }
    }

    /// rename(2), renameat2(2).
    package func rename(
        _ parent: InodeID, _ name: FileName, to newParent: InodeID, _ newName: FileName, _ rule: RenameRequest.Rule,
        completion: @escaping Completion<Void>
    ) {
        let unused = unusedInode(newParent, newName)
        metadata.request(
            .rename, isChange: true,
            { caller in
                var request = RenameRequest()
                request.caller = caller
                request.parent = parent
                request.name = name
                request.newParent = newParent
                request.newName = newName
                request.rule = rule
                request.unused = unused
                return request
            }
        ) { [self] reply in
            let old = inodes.existing(parent)
            let new = inodes.existing(newParent)
            switch reply.decode(RemovalReply.self) {
            case .success(let removal):
                noteChanged(directory: parent)
                noteChanged(directory: newParent)
                renamed(name, in: old, to: newName, in: new, rule, removal)
                completion(.success(()))
            case .failure(let status):
                if let old { forget(name, in: old) }
                if let new { forget(newName, in: new) }
                completion(.failure(status.fileError))
            }
        }
    }

    private func renamed(
        _ name: FileName, in old: Inode?, to newName: FileName, in new: Inode?, _ rule: RenameRequest.Rule,
        _ removal: RemovalReply
    ) {
        if rule == .exchange {
            if let old { forget(name, in: old) }
            if let new { forget(newName, in: new) }
            return
        }
        removed(removal)
        noteChanged(directory: removal.moved)
        // A rename between two names of one file changes nothing: the server says so by moving none.
        guard removal.moved.rawValue != 0 else {
            if let old { forget(name, in: old) }
            if let new { forget(newName, in: new) }
            return
        }
        if let old { remember(name, nil, in: old) }
        if let new { remember(newName, removal.moved, in: new) }
    }

    /// The inode that `name` refers to, if this mount is sure of that and has it not open.
    private func unusedInode(_ parent: InodeID, _ name: FileName) -> InodeID {
        guard let directory = inodes.existing(parent), let known = directory.names[name], let id = known else {
            return InodeID(0)
        }
        return (inodes.existing(id)?.openCount ?? 0) == 0 ? id : InodeID(0)
    }

    /// The server changed this inode's times or link count on our behalf and the reply does not say to what: the cached
    /// attributes are asked for again, its names stay.
    private func noteChanged(directory id: InodeID) {
        guard let inode = inodes.existing(id) else { return }
        inode.attributesAreOld = true
    }

    /// An inode lost a name.
    private func removed(_ removal: RemovalReply) {
        let id = removal.removed.inode
        guard id.rawValue != 0 else { return }
        guard let inode = inodes.existing(id) else {
            // Not known here, so not open here: the pin that keeps it alive for us goes back.
            if removal.isOrphan, removal.grant.mode > .none {
                giveBack([HeldLease(inode: id, mode: .none, sequence: removal.grant.sequence)])
            }
            return
        }
        guard removal.removed.linkCount == 0 || inode.isDirectory else {
            merge(removal.removed, into: inode)
            return
        }
        inode.attributes.linkCount = 0
        if removal.isOrphan {
            inode.isOrphan = true
            if inode.grant.mode == .none { inode.grant = removal.grant }
        } else {
            // The server keeps nothing of it, leases included.
            inode.grant = .none
        }
        if inode.openCount == 0 { dropOrphan(inode) }
    }

    /// Nobody here uses the removed file any more: what was buffered is moot, and the server need not keep it for us.
    func dropOrphan(_ inode: Inode) {
        discardDirty(of: inode)
        forgetCached(inode)
        if inode.grant.mode > .none {
            giveBack([HeldLease(inode: inode.id, mode: .none, sequence: inode.grant.sequence)])
        }
        inode.grant = .none
        inode.isOrphan = false
        if inode.isIdle { inodes.remove(inode) }
    }
}
