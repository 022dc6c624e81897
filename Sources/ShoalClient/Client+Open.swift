import ShoalWire
import ShoalTypes

extension Client {
    /// Opens a file (open(2)): under any lease, which tells the server that the file is in use here.
    /// - Parameters:
    ///   - truncates: O_TRUNC.
    ///   - writes: it will be written: ask for the write lease at once.
    package func open(_ id: InodeID, writes: Bool, truncates: Bool, completion: @escaping Completion<FileAttributes>) {
        let inode = inodes.inode(id)
        // Counted before the lease is there, so that it cannot be given back in between.
        inode.openCount += 1
        let fail: (FileError) -> Void = { [self] error in
            release(id) { _ in }
            completion(.failure(error))
        }
        if truncates {
            var change = AttributeChange()
            change.size = 0
            return truncate(inode, to: 0, change) { result in
                switch result {
                case .success(let attributes): completion(.success(attributes))
                case .failure(let error): fail(error)
                }
            }
        }
        if inode.grant.mode >= .pin, metadata.leasesAreUsable { return completion(.success(inode.attributes)) }
        withLease(.read, on: inode, failure: fail) { done in
            completion(.success(inode.attributes))
            done()
        }
    }

    /// close(2) of one of possibly several descriptors: reports what could not be written.
    package func flush(_ id: InodeID, completion: @escaping Completion<Void>) {
        guard let inode = inodes.existing(id), inode.isDirty || inode.writeError != nil else {
            return completion(.success(()))
        }
        writeBack(inode) { [self] in
            let error = inode.writeError
            inode.writeError = nil
            if let error { return completion(.failure(error)) }
            // The nodes hold the bytes; the size follows by itself, and other mounts ask us for it until then.
            flushUnasked(inode, releasesReservation: inode.reservesSparingly && inode.openCount <= 1)
            completion(.success(()))
        }
    }

    /// The last use of one descriptor has ended.
    package func release(_ id: InodeID, completion: @escaping Completion<Void>) {
        guard let inode = inodes.existing(id), inode.openCount > 0 else { return completion(.success(())) }
        inode.openCount -= 1
        defer { completion(.success(())) }
        guard inode.openCount == 0 else { return }
        if inode.isOrphan || inode.attributes.linkCount == 0 { return dropOrphan(inode) }
        if inode.grant.mode == .pin {
            giveBack([HeldLease(inode: id, mode: .none, sequence: inode.grant.sequence)])
            inode.grant = .none
        }
        if inode.writeError != nil {
            // Close has reported it and nobody is left to retry.
            inode.writeError = nil
            discardDirty(of: inode)
            inode.attributesAreOld = true
        }
        if inode.reservesSparingly, inode.grant.mode == .write, inode.reservedSize > inode.attributes.size {
            flushUnasked(inode, releasesReservation: true)
        }
    }
}
