import ShoalRPC
import ShoalTypes
import ShoalWire

/// Names that go, and files with them.
extension Client {
    package func unlink(_ parent: InodeID, _ name: FileName, completion: @escaping Completion<Void>) {
        remove(.unlink, parent, name, completion)
    }

    package func removeDirectory(_ parent: InodeID, _ name: FileName, completion: @escaping Completion<Void>) {
        remove(.removeDirectory, parent, name, completion)
    }

    private func remove(
        _ operation: Operation, _ parent: InodeID, _ name: FileName, _ completion: @escaping Completion<Void>
    ) {
        let unused = unusedInode(parent, name, isReplacing: false)
        metadata.request(
            operation, isChange: true, { NameRequest(caller: $0, parent: parent, name: name, unused: unused) }
        ) { [self] reply in
            switch reply.decode(RemovalReply.self) {
            case .success(let removal):
                learnChanged(removal)
                if let directory = inodes.existing(parent) { remember(name, nil, in: directory) }
                removed(removal)
                completion(.success(()))
            case .failure(let status):
                if let directory = inodes.existing(parent) { forget(name, in: directory) }
                completion(.failure(status.fileError))
            }
        }
    }

    /// The inode that `name` refers to, if this mount is sure of that and has it not open.
    func unusedInode(_ parent: InodeID, _ name: FileName, isReplacing: Bool) -> InodeID {
        guard let directory = inodes.existing(parent), let known = directory.names[name], let id = known else {
            return InodeID(0)
        }
        guard let inode = inodes.existing(id) else { return id }
        // What is replaced was there all the time for whoever opens it just now: it stays a moment longer.
        if isReplacing, mayBeOpening(inode) { return InodeID(0) }
        return inode.openCount == 0 ? id : InodeID(0)
    }

    /// The directories' times and link counts, and those of what moved, as the server left them.
    func learnChanged(_ removal: RemovalReply) {
        for attributes in removal.changed {
            if let inode = inodes.existing(attributes.inode) { merge(attributes, into: inode, keepsChanges: true) }
        }
        // What is in there under which name is asked for again.
        if let trash = inodes.existing(removal.trash) { forgetNames(of: trash) }
    }

    /// An inode lost a name.
    func removed(_ removal: RemovalReply) {
        let id = removal.removed.inode
        guard id.rawValue != 0 else { return }
        if removal.removed.linkCount == 0, !removal.isOrphan { noteGone(removal.removed) }
        guard let inode = inodes.existing(id) else {
            // Not known here, so not open here: the pin that keeps it alive for us goes back.
            if removal.isOrphan, removal.grant.mode > .none {
                giveBack([HeldLease(inode: id, mode: .none, sequence: removal.grant.sequence)])
            }
            return
        }
        guard removal.removed.linkCount == 0 || inode.isDirectory else {
            merge(removal.removed, into: inode, keepsChanges: true)
            return
        }
        attributesChanged(inode)
        inode.attributes.linkCount = 0
        // Whoever has it open sees that too; what was written here just before may be later by this machine's clock.
        inode.attributes.changeTime = max(inode.attributes.changeTime, removal.removed.changeTime)
        if removal.isOrphan {
            inode.isOrphan = true
            if inode.grant.mode == .none { inode.grant = removal.grant }
        } else {
            // The server keeps nothing of it, leases included.
            inode.grant = .none
        }
        guard inode.openCount == 0 else { return }
        if removal.isOrphan, mayBeOpening(inode) { return linger(inode) }
        dropOrphan(inode)
    }

    /// Nobody here uses the removed file any more, and the server need not keep it for us. What is buffered goes to the
    /// nodes first, if another mount may have the file open.
    func dropOrphan(_ inode: Inode) {
        if inode.isOrphan, inode.grant.mode.allowsWriting, inode.isDirty {
            return waitUntilQuiet(inode) { [self] in
                let sequence = inode.grant.sequence
                flush(inode) { [self] result in
                    if case .failure(let error) = result, inode.grant.sequence == sequence { giveUp(inode, error) }
                    if inode.isOrphan, inode.openCount == 0 { dropOrphan(inode) }
                }
            }
        }
        // Through O_PATH, or as a device or FIFO, it may be open without our knowing.
        if inode.isOrphan, inode.attributes.linkCount == 0, kernelKnows(inode.id) {
            noteGone(inode.attributes)
        }
        discardDirty(of: inode)
        attributesChanged(inode)
        forgetAll(of: inode)
        if inode.grant.mode > .none {
            giveBack([inode.returnedLease])
        }
        inode.grant = .none
        inode.isOrphan = false
        if inode.mayBeForgotten { inodes.remove(inode) }
    }
}
