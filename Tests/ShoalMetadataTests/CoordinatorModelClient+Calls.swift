import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

/// What a model client does, as a mount would on behalf of its processes.
extension CoordinatorModelClient {
    private var directories: [InodeID] { [.root] + world.directories }
    private var sharedNames: [FileName] { ["x", "y", "z"].map(fileName) }
    private func pick<Element>(_ choices: [Element]) -> Element { choices.randomElement(using: &world.random)! }
    /// What it may act on without asking, in an order that depends on the seed only.
    private var known: [InodeID] { held.keys.sorted() }

    /// One step, of any kind.
    func act() throws {
        guard isOpen, !isDead, world.now >= stalledUntil, pendingCount < 6 else { return }
        switch Int.random(in: 0..<100, using: &world.random) {
        case 0..<20: try lookup(pick(directories), pick(sharedNames + ownNames.keys.sorted()))
        case 20..<32: try getAttributes()
        case 32..<42: create(pick(directories), pick(sharedNames), isOwn: false)
        case 42..<50: createOwn()
        case 50..<58: unlink(pick(directories), pick(sharedNames), isOwn: false)
        case 58..<63: unlinkOwn()
        case 63..<69: rename()
        case 69..<74: changeMode()
        case 74..<80: acquire()
        case 80..<88: write()
        case 88..<91: if let inode = dirty.keys.sorted().randomElement(using: &world.random) { flush(inode) }
        case 91..<94: openOrClose()
        case 94..<96: if let inode = known.randomElement(using: &world.random) { release(inode) }
        case 96..<98: listDirectory(pick(directories))
        default: makeOrRemoveDirectory()
        }
    }

    /// A name that is cached is answered from the cache: that is checked at every step. Another is asked for.
    private func lookup(_ parent: InodeID, _ name: FileName) throws {
        if isUsable, (held[parent]?.mode ?? .none) >= .names, names[parent]?[name] != nil {
            return world.met("cached name")
        }
        let message = NameRequest(caller: Caller(), parent: parent, name: name)
        request(.lookup, message, caller: \.caller) { [self] result in
            guard case .success(let bytes) = result else { return }
            let reply = try LookupReply(decoding: bytes)
            take(reply.parentGrant, of: parent, nil)
            if let found = reply.found { take(found.grant, of: found.attributes.inode, found.attributes) }
            note(name, in: parent, as: reply.found?.attributes.inode)
        }
    }

    private func note(_ name: FileName, in parent: InodeID, as inode: InodeID?) {
        guard (held[parent]?.mode ?? .none) >= .read else { return }
        names[parent, default: [:]][name] = .some(inode)
    }

    /// What it sees is no older than the moment of asking.
    private func getAttributes() throws {
        guard let inode = (known + world.clients.flatMap(\.dirty.keys)).sorted().randomElement(using: &world.random)
        else { return }
        let sizeBefore = try world.trueSize(inode)
        let disturbances = world.disturbances
        request(.getAttributes, InodeRequest(caller: Caller(), inode: inode), caller: \.caller) { [self] result in
            guard case .success(let bytes) = result else { return }
            let reply = try EntryReply(decoding: bytes)
            let shown = max(reply.attributes.size, dirty[inode] ?? 0)
            if let sizeBefore, disturbances == world.disturbances, !world.truncated.contains(inode) {
                #expect(shown >= sizeBefore, "stat of inode \(inode) is older than its call")
            }
            take(reply.grant, of: inode, reply.attributes)
        }
    }

    private func create(_ parent: InodeID, _ name: FileName, isOwn: Bool) {
        var message = CreateRequest()
        message.parent = parent
        message.name = name
        message.mode = FileKind.regular.rawValue | 0o644
        message.opensForWriting = world.random.chance(1, in: 2)
        request(.create, isChange: true, directories: [parent], inodes: [parent], message, caller: \.caller) {
            [self] result in
            switch result {
            case .success(let bytes):
                let reply = try EntryReply(decoding: bytes)
                let inode = reply.attributes.inode
                take(reply.parentGrant, of: parent, reply.parent)
                if reply.attributes.linkCount > 0 { take(reply.grant, of: inode, reply.attributes) }
                // A retry may tell of a name that somebody else has changed since.
                names[parent]?[name] = nil
                if isOwn {
                    note(name, in: parent, as: inode)
                    ownNames[name] = (parent, inode)
                }
            case .failure(let status):
                if isOwn, status != .unknownSession {
                    Issue.record("create of \(name), which nobody else uses: \(status)")
                }
                if isOwn { lostNames.insert(name) }
            }
        }
    }

    private func createOwn() {
        world.lastName += 1
        create(pick(directories), fileName("own\(world.lastName)"), isOwn: true)
    }

    private func unlink(_ parent: InodeID, _ name: FileName, isOwn: Bool) {
        var message = NameRequest(caller: Caller(), parent: parent, name: name)
        if let inode = names[parent]?[name] ?? nil, !open.contains(inode), dirty[inode] == nil {
            message.unused = inode
        }
        if isOwn { ownNames[name] = nil }
        let unused = message.unused
        request(
            .unlink, isChange: true, directories: [parent], inodes: nil, unused: unused, message, caller: \.caller
        ) { [self] result in
            switch result {
            case .success(let bytes):
                attributes[parent] = nil
                names[parent]?[name] = nil
                removed(try RemovalReply(decoding: bytes))
                if isOwn { world.goneNames.append((parent, name)) }
            case .failure(let status):
                if isOwn, status != .unknownSession {
                    Issue.record("unlink of \(name), which nobody else uses: \(status)")
                }
            }
        }
    }

    private func removed(_ reply: RemovalReply) {
        let inode = reply.removed.inode
        guard inode != InodeID(0) else { return }
        take(reply.grant, of: inode, reply.removed)
        guard reply.removed.linkCount == 0 else { return }
        world.met(reply.isOrphan ? "orphan" : "removal")
        if !reply.isOrphan {
            #expect(!open.contains(inode), "client \(number) has lost inode \(inode), which it has open")
            return drop(inode)
        }
        if !open.contains(inode) {
            // Nobody will read what was written.
            if dirty.removeValue(forKey: inode) != nil { world.truncated.insert(inode) }
            release(inode)
        }
    }

    private func unlinkOwn() {
        guard let name = ownNames.keys.sorted().randomElement(using: &world.random), let place = ownNames[name] else {
            return
        }
        unlink(place.parent, name, isOwn: true)
    }

    private func rename() {
        var message = RenameRequest()
        message.parent = pick(directories)
        message.name = pick(sharedNames)
        message.newParent = pick(directories)
        message.newName = pick(sharedNames)
        let (from, to) = (message.parent, message.newParent)
        let (old, new) = (message.name, message.newName)
        let known = names[from]?[old] ?? nil
        let takesKnownAlong = known != nil && (held[to]?.mode ?? .none) >= .names
        let move = CoordinatorMove(directory: to, name: new)
        if takesKnownAlong { moves.append(move) }
        request(.rename, isChange: true, directories: [from, to], inodes: nil, message, caller: \.caller) {
            [self] result in
            if takesKnownAlong, let index = moves.firstIndex(of: move) { moves.remove(at: index) }
            guard case .success(let bytes) = result else { return }
            let reply = try RemovalReply(decoding: bytes)
            world.met("rename")
            for inode in [from, to, reply.moved] where dirty[inode] == nil { attributes[inode] = nil }
            names[from]?[old] = nil
            names[to]?[new] = nil
            if takesKnownAlong, known == reply.moved, (held[to]?.mode ?? .none) >= .names {
                world.met("known name moved")
                names[to, default: [:]][new] = known
            }
            removed(reply)
        }
    }

    private func changeMode() {
        guard let inode = known.randomElement(using: &world.random) else { return }
        var change = AttributeChange()
        if dirty[inode] == nil, attributes[inode]?.kind == .regular, world.random.chance(1, in: 4) {
            change.size = 0
        } else {
            change.permissions = UInt32.random(in: 0..<0o777, using: &world.random)
        }
        let message = SetAttributesRequest(caller: Caller(), inode: inode, change: change)
        if change.size != nil { world.truncated.insert(inode) }
        request(.setAttributes, isChange: true, inodes: [inode], message, caller: \.caller) { [self] result in
            guard case .success(let bytes) = result else { return }
            let reply = try EntryReply(decoding: bytes)
            take(reply.grant, of: inode, reply.attributes)
        }
    }

    private func acquire() {
        guard let inode = known.randomElement(using: &world.random) else { return }
        let mode: LeaseMode = attributes[inode]?.kind == .regular ? pick([.pin, .read, .write]) : .read
        let message = AcquireLeaseRequest(caller: Caller(), inode: inode, mode: mode)
        request(.acquireLease, message, caller: \.caller) { [self] result in
            guard case .success(let bytes) = result else { return }
            let reply = try EntryReply(decoding: bytes)
            #expect(reply.grant.mode >= mode)
            if reply.grant.tailUnclean { #expect(reply.attributes.reservedSize > reply.attributes.size) }
            take(reply.grant, of: inode, reply.attributes)
        }
    }

    private func write() {
        let writable = known.filter { held[$0]?.mode == .write && !isBeingRecalled($0) && attributes[$0] != nil }
        guard isUsable, !isRemoving, let inode = writable.randomElement(using: &world.random),
            let size = attributes[inode]?.size
        else { return }
        world.met("write")
        dirty[inode] = (dirty[inode] ?? size) + 100
    }

    private func openOrClose() {
        if world.random.chance(1, in: 2), let inode = open.sorted().randomElement(using: &world.random) {
            open.remove(inode)
            release(inode)
            return
        }
        let files = known.filter { attributes[$0]?.kind == .regular && !isBeingRecalled($0) }
        guard isUsable, !isRemoving, let inode = files.randomElement(using: &world.random) else { return }
        open.insert(inode)
    }

    private func listDirectory(_ directory: InodeID) {
        let message = ReadDirectoryRequest(
            caller: Caller(), inode: directory, after: 0, before: 0, limit: 8, withAttributes: true)
        request(.readDirectory, message, caller: \.caller) { [self] result in
            guard case .success(let bytes) = result else { return }
            for entry in try ReadDirectoryReply(decoding: bytes).entries {
                take(entry.grant, of: entry.inode, entry.attributes)
            }
        }
    }

    private func makeOrRemoveDirectory() {
        let name = fileName("d")
        if world.random.chance(1, in: 2) {
            var message = CreateRequest()
            message.parent = .root
            message.name = name
            message.mode = FileKind.directory.rawValue | 0o755
            request(.create, isChange: true, directories: [.root], inodes: [.root], message, caller: \.caller) {
                [self] result in
                guard case .success(let bytes) = result else { return }
                let reply = try EntryReply(decoding: bytes)
                take(reply.parentGrant, of: .root, reply.parent)
                if reply.attributes.linkCount > 0 { take(reply.grant, of: reply.attributes.inode, reply.attributes) }
                names[.root]?[name] = nil
            }
        } else {
            let message = NameRequest(caller: Caller(), parent: .root, name: name)
            request(.removeDirectory, isChange: true, directories: [.root], inodes: nil, message, caller: \.caller) {
                [self] result in
                guard case .success(let bytes) = result else { return }
                attributes[.root] = nil
                names[.root]?[name] = nil
                removed(try RemovalReply(decoding: bytes))
            }
        }
    }
}
