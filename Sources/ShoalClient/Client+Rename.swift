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
        var written: [Inode] = []
        if let source = knownInode(parent, name), source.isDirty, mayExist(newParent, newName) {
            written.append(source)
        }
        let moved = parent == newParent ? [] : moving(parent, name, newParent, newName, rule)
        // The directory may be in a quota tree, which must not find later that the file is longer than was said.
        written += moved.filter { $0.isDirty && $0.attributes.size > $0.reservedSize }
        for inode in moved { inode.movesInFlight += 1 }
        let (old, new) = (Place(directory: parent, name: name), Place(directory: newParent, name: newName))
        let send = { [self] in
            sendRename(parent, name, to: newParent, newName, rule) { [self] result in
                for inode in moved { inode.movesInFlight -= 1 }
                kernelHasMoved(old)
                if rule == .exchange { kernelHasMoved(new) }
                completion(result)
            }
        }
        flushEach(written[...], releasesReservation: false) { [self] in
            kernelMoves(old, to: new) { [self] in
                if rule == .exchange { kernelMoves(new, to: old, send) } else { send() }
            }
        }
    }

    /// The files that a rename gives another directory, of those that are written here; where a name is not known, any.
    private func moving(
        _ parent: InodeID, _ name: FileName, _ newParent: InodeID, _ newName: FileName, _ rule: RenameRequest.Rule
    ) -> [Inode] {
        let names = rule == .exchange ? [(parent, name), (newParent, newName)] : [(parent, name)]
        let isKnown = names.allSatisfy { inodes.existing($0.0)?.names[$0.1] != nil }
        let files = isKnown ? names.compactMap { knownInode($0.0, $0.1) } : inodes.all
        return files.filter(\.grant.mode.allowsWriting)
    }

    /// Errors are not for rename to report.
    private func flushEach(_ inodes: ArraySlice<Inode>, releasesReservation: Bool, _ body: @escaping () -> Void) {
        guard let inode = inodes.first else { return body() }
        flush(inode, releasesReservation: releasesReservation, reportsLoss: false) { [self] result in
            if case .failure(let error) = result {
                if inode.isDirty { inode.writeError = inode.writeError ?? error } else { noteLoss(error, of: inode) }
            }
            flushEach(inodes.dropFirst(), releasesReservation: releasesReservation, body)
        }
    }

    func knownInode(_ parent: InodeID, _ name: FileName) -> Inode? {
        guard let known = inodes.existing(parent)?.names[name], let id = known else { return nil }
        return inodes.existing(id)
    }

    private func mayExist(_ parent: InodeID, _ name: FileName) -> Bool {
        guard let directory = inodes.existing(parent), mayUseNames(directory) else { return true }
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
                // The tree counts what is reserved for a file that comes into it: what it does not need goes back first.
                let files = moving(parent, name, newParent, newName, rule)
                let sparing = files.filter { $0.reservedSize > $0.attributes.size }
                flushEach(sparing[...], releasesReservation: true) { [self] in
                    sendRename(parent, name, to: newParent, newName, rule, isRetry: true, completion: completion)
                }
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
