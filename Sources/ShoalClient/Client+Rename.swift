import ShoalRPC
import ShoalTypes
import ShoalWire

extension Client {
    /// rename(2), renameat2(2). What is buffered of the renamed file goes to the nodes first, if another may be replaced:
    /// programs that write a new version beside the old one and rename it, without fsync, are not to find neither of
    /// them after a crash (ext4 does the same: auto_da_alloc).
    package func rename(
        _ parent: InodeID, _ name: FileName, to newParent: InodeID, _ newName: FileName, _ rule: RenameRequest.Rule,
        completion: @escaping Completion<Void>
    ) {
        let send = { [self] in sendRename(parent, name, to: newParent, newName, rule, completion: completion) }
        guard let inode = knownInode(parent, name), inode.isDirty, mayExist(newParent, newName) else { return send() }
        flush(inode) { result in
            // Not for rename to report.
            if case .failure(let error) = result { inode.writeError = inode.writeError ?? error }
            send()
        }
    }

    func knownInode(_ parent: InodeID, _ name: FileName) -> Inode? {
        guard let known = inodes.existing(parent)?.names[name], let id = known else { return nil }
        return inodes.existing(id)
    }

    private func mayExist(_ parent: InodeID, _ name: FileName) -> Bool {
        guard let directory = inodes.existing(parent), mayRead(directory) else { return true }
        if let known = directory.names[name] { return known != nil }
        return !directory.namesAreComplete
    }

    private func sendRename(
        _ parent: InodeID, _ name: FileName, to newParent: InodeID, _ newName: FileName, _ rule: RenameRequest.Rule,
        isRetry: Bool = false, completion: @escaping Completion<Void>
    ) {
        let unused = unusedInode(newParent, newName, isReplacing: true)
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
                learnChanged(removal)
                renamed(name, in: old, to: newName, in: new, rule, removal)
                completion(.success(()))
            case .failure(.failed(.quota)) where !isRetry:
                let files = [knownInode(parent, name), knownInode(newParent, newName)].compactMap(\.self)
                withoutExcess(files[...]) { [self] in
                    sendRename(parent, name, to: newParent, newName, rule, isRetry: true, completion: completion)
                }
            case .failure(let status):
                if let old { forget(name, in: old) }
                if let new { forget(newName, in: new) }
                completion(.failure(status.fileError))
            }
        }
    }

    /// A quota tree counts what is reserved for a file that comes into it: what the file does not need goes back first.
    private func withoutExcess(_ inodes: ArraySlice<Inode>, _ body: @escaping () -> Void) {
        guard let inode = inodes.first else { return body() }
        let next = { [self] in withoutExcess(inodes.dropFirst(), body) }
        guard inode.grant.mode == .write, inode.reservedSize > inode.attributes.size else { return next() }
        flush(inode, releasesReservation: true) { result in
            // Not for rename to report.
            if case .failure(let error) = result { inode.writeError = inode.writeError ?? error }
            next()
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
        // A rename between two names of one file changes nothing, and both stay.
        guard !removal.changed.isEmpty else {
            if let old { forget(name, in: old) }
            if let new { forget(newName, in: new) }
            return
        }
        if let old { remember(name, nil, in: old) }
        if let new { remember(newName, removal.moved, in: new) }
    }
}
