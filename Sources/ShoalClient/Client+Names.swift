import ShoalRPC
import ShoalTypes
import ShoalWire

/// Names of directories, cached under the directory's read lease.
extension Client {
    /// The entry's attributes; nil if there is none of this name.
    package func lookup(_ parent: InodeID, _ name: FileName, completion: @escaping Completion<FileAttributes?>) {
        if let directory = inodes.existing(parent), mayUseNames(directory) {
            if let known = directory.names[name] {
                guard let id = known else { return completion(.success(nil)) }
                return attributes(of: id) { [self] result in
                    switch result {
                    case .success(let attributes):
                        noteTrash(name, attributes, in: directory)
                        completion(.success(attributes))
                    // The name went while its attributes were on their way: only the server knows what it says now.
                    case .failure(.notFound), .failure(.stale): lookupOnServer(parent, name, completion)
                    case .failure(let error): completion(.failure(error))
                    }
                }
            }
            // The trash is in the root directory and not listed.
            if directory.namesAreComplete, parent != .root || name != .trash { return completion(.success(nil)) }
        }
        lookupOnServer(parent, name, completion)
    }

    private func lookupOnServer(
        _ parent: InodeID, _ name: FileName, _ completion: @escaping Completion<FileAttributes?>
    ) {
        metadata.request(.lookup, isChange: false, { NameRequest(caller: $0, parent: parent, name: name) }) {
            [self] reply in
            switch reply.decode(LookupReply.self) {
            case .success(let message):
                let directory = learnDirectory(parent, message.parentGrant, message.found?.parent)
                guard let found = message.found else {
                    remember(name, nil, in: directory)
                    return completion(.success(nil))
                }
                remember(name, found.attributes.inode, in: directory)
                let attributes = taught(by: found)
                noteTrash(name, found.attributes, in: directory)
                // Given for the open that may follow; if none does, it goes back.
                let inode = inodes.inode(attributes.inode)
                if inode.grant.mode == .pin, inode.openCount == 0 { linger(inode) }
                completion(.success(attributes))
            case .failure(.failed(.notFound)): completion(.success(nil))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    private func noteTrash(_ name: FileName, _ attributes: FileAttributes, in directory: Inode) {
        let isInTrash = trashDirectories.contains(directory.id) || directory.id == .root && name == .trash
        if isInTrash, attributes.kind == .directory { trashDirectories.insert(attributes.inode) }
    }

    /// What a reply says of the directory that it is about.
    @discardableResult
    func learnDirectory(_ id: InodeID, _ grant: Grant, _ attributes: FileAttributes?) -> Inode {
        if let attributes, attributes.inode == id { return learn(attributes, grant) }
        let directory = inodes.inode(id)
        // Without attributes a first lease is of no use: they are what `mayRead` promises.
        if directory.grant.mode >= .read { learn(directory.attributes, grant) }
        return directory
    }

    /// Caches that `name` refers to `inode`, or to nothing; only under the directory's lease, and only so many. Else what
    /// was known of it goes.
    func remember(_ name: FileName, _ inode: InodeID?, in directory: Inode) {
        guard directory.grant.mode >= .read, directory.recall == nil, !metadata.isAnswerOld else {
            return forget(name, in: directory)
        }
        makeRoomForNames(1)
        if !directory.names.set(name, to: inode) { nameCount += 1 }
    }

    /// Forgets every name rather than to remember more than so many.
    private func makeRoomForNames(_ count: Int) {
        guard nameCount + count > limits.namesMax else { return }
        for other in inodes.all where !other.names.isEmpty { forgetNames(of: other) }
    }

    /// Forgets what `name` was thought to refer to, and that all names are known.
    func forget(_ name: FileName, in directory: Inode) {
        if !directory.names.isEmpty, directory.names.remove(name) { nameCount -= 1 }
        directory.namesAreComplete = false
        // A listing under way may have passed the name already.
        directory.listingCookie = 0
    }

    // MARK: Listing

    /// Entries after the cookie `after`, at most `limit`, with attributes and leases if asked for.
    ///
    /// - Parameters:
    ///   - before: What the reply to the listing's first request said; 0 in that one.
    ///   - keepsAccessTime: O_NOATIME: the access does not count.
    package func readDirectory(
        _ id: InodeID, after: UInt64, before: UInt64, limit: Int, withAttributes: Bool, keepsAccessTime: Bool = false,
        completion: @escaping Completion<ReadDirectoryReply>
    ) {
        metadata.request(
            .readDirectory, isChange: false,
            {
                ReadDirectoryRequest(
                    caller: $0, inode: id, after: after, before: before,
                    limit: UInt32(min(limit, Int(ReadDirectoryRequest.entriesMax))),
                    withAttributes: withAttributes)
            }
        ) { [self] reply in
            switch reply.decode(ReadDirectoryReply.self) {
            case .success(let listing):
                learn(listing, of: id, after: after)
                if !keepsAccessTime { noteAccess(id) }
                completion(.success(listing))
            case .failure(let status): completion(.failure(status.fileError))
            }
        }
    }

    private func learn(_ listing: ReadDirectoryReply, of id: InodeID, after: UInt64) {
        for entry in listing.entries {
            if let attributes = entry.attributes { learn(attributes, entry.grant) }
        }
        guard let directory = inodes.existing(id) else { return }
        if trashDirectories.contains(id) {
            for entry in listing.entries { entry.attributes.map { noteTrash(entry.name, $0, in: directory) } }
        }
        guard directory.grant.mode >= .read, directory.recall == nil else { return }
        // Not in the middle of the page: the listing would pass for complete without its first part.
        makeRoomForNames(listing.entries.count)
        for entry in listing.entries { remember(entry.name, entry.inode, in: directory) }
        // Only a listing without a gap, under one lease, shows that there is nothing else.
        guard after == 0 || after == directory.listingCookie else { return }
        directory.listingCookie = listing.entries.last?.cookie ?? after
        if listing.isEnd { directory.namesAreComplete = directory.names.count <= limits.namesMax / 2 }
    }
}
