import ShoalTypes
import ShoalWire

/// The filesystem as objects that point at each other: what the namespace is compared with.
final class NamespaceModel {
    final class Node {
        var attributes: FileAttributes
        var target: [UInt8] = []
        var extended: [ExtendedAttributeName: [UInt8]] = [:]
        /// In the order of a listing.
        var entries: [(name: FileName, node: Node)] = []
        weak var parent: Node?
        init(_ attributes: FileAttributes) { self.attributes = attributes }

        var isDirectory: Bool { attributes.kind == .directory }
        func place(of name: FileName) -> Int? { entries.firstIndex { $0.name == name } }
        func child(_ name: FileName) -> Node? { entries.first { $0.name == name }?.node }
        func isBelow(_ other: Node) -> Bool {
            var node = self
            while true {
                if node === other { return true }
                guard let parent = node.parent else { return false }
                node = parent
            }
        }
    }

    private(set) var nodes: [InodeID: Node] = [:]
    private(set) var orphans: Set<InodeID> = []
    /// Chunk counts of what is queued.
    private(set) var reclaim: [DataID: UInt64] = [:]
    var now = Timestamp()
    var inUse: Set<InodeID> = []

    init(root: FileAttributes) { nodes[.root] = Node(root) }

    func node(_ inode: InodeID) throws(FileError) -> Node {
        guard let node = nodes[inode] else { throw .notFound }
        return node
    }

    func directory(_ inode: InodeID) throws(FileError) -> Node {
        let node = try node(inode)
        guard node.isDirectory else { throw .notDirectory }
        return node
    }

    func create(_ request: CreateRequest, chunkBytesLog2: UInt8, inode: InodeID, data: DataID) throws(FileError) -> Node
    {
        let parent = try directory(request.parent)
        guard parent.child(request.name) == nil else { throw .exists }
        let kind = FileKind(mode: request.mode) ?? .regular
        var attributes = FileAttributes(
            inode: inode, mode: kind.rawValue | request.mode & 0o7777, uid: request.uid, gid: request.gid,
            accessTime: now, modifyTime: now, changeTime: now)
        if parent.attributes.mode & 0o2000 != 0 {
            attributes.gid = parent.attributes.gid
            if kind == .directory { attributes.mode |= 0o2000 }
        }
        if kind == .regular {
            attributes.data = data
            attributes.chunkBytesLog2 = chunkBytesLog2
            attributes.reservedSize = request.opensForWriting ? 1 << chunkBytesLog2 : 0
        }
        if kind == .directory { (attributes.linkCount, attributes.size) = (2, 4096) }
        if kind == .symlink {
            attributes.mode = kind.rawValue | 0o777
            attributes.size = UInt64(request.target.count)
        }
        if kind == .blockDevice || kind == .characterDevice { attributes.device = request.device }
        let node = Node(attributes)
        node.target = request.target
        node.parent = kind == .directory ? parent : nil
        node.inherit(from: parent, umask: request.umask)
        nodes[inode] = node
        parent.entries.append((request.name, node))
        changedNames(parent)
        return node
    }

    func link(_ inode: InodeID, _ parent: InodeID, _ name: FileName) throws(FileError) -> Node {
        let parent = try directory(parent)
        let node = try node(inode)
        if node.isDirectory { throw .notPermitted }
        if node.attributes.linkCount == 0 { throw .notFound }
        if parent.child(name) != nil { throw .exists }
        node.attributes.linkCount += 1
        node.attributes.changeTime = now
        parent.entries.append((name, node))
        changedNames(parent)
        return node
    }

    func remove(_ parent: InodeID, _ name: FileName, isDirectory: Bool) throws(FileError) -> FileAttributes {
        let parent = try directory(parent)
        guard let place = parent.place(of: name) else { throw .notFound }
        let node = parent.entries[place].node
        if node.isDirectory != isDirectory { throw isDirectory ? .notDirectory : .isDirectory }
        if !node.entries.isEmpty { throw .notEmpty }
        parent.entries.remove(at: place)
        changedNames(parent)
        loseName(node)
        return node.attributes
    }

    /// - Returns: what was moved, and what was replaced.
    func rename(_ request: RenameRequest) throws(FileError) -> (moved: Node, replaced: Node?) {
        let from = try directory(request.parent)
        let to = try directory(request.newParent)
        guard let node = from.child(request.name) else { throw .notFound }
        let other = to.child(request.newName)
        if request.rule == .noReplace, other != nil { throw .exists }
        if request.rule == .exchange, other == nil { throw .notFound }
        if to.isBelow(node) { throw .invalidArgument }
        if request.rule == .exchange, let other, from.isBelow(other) { throw .invalidArgument }
        if other === node { return (node, nil) }
        if let other, request.rule == .replace {
            if node.isDirectory && !other.isDirectory { throw .notDirectory }
            if !node.isDirectory && other.isDirectory { throw .isDirectory }
            if !other.entries.isEmpty { throw .notEmpty }
        }
        node.attributes.changeTime = now
        if let other, let place = to.place(of: request.newName) {
            to.entries[place].node = node
            if request.rule == .exchange, let oldPlace = from.place(of: request.name) {
                from.entries[oldPlace].node = other
                other.attributes.changeTime = now
                if other.isDirectory { other.parent = from }
            } else {
                from.entries.removeAll { $0.name == request.name }
                loseName(other)
            }
        } else if from === to, let place = from.place(of: request.name) {
            from.entries[place].name = request.newName
        } else {
            from.entries.removeAll { $0.name == request.name }
            to.entries.append((request.newName, node))
        }
        if node.isDirectory { node.parent = to }
        changedNames(from)
        changedNames(to)
        return (node, request.rule == .exchange ? nil : other)
    }

    func set(_ inode: InodeID, _ change: AttributeChange) throws(FileError) -> Node {
        let node = try node(inode)
        if let size = change.size {
            if node.isDirectory { throw .isDirectory }
            if node.attributes.kind != .regular { throw .invalidArgument }
            let chunksMax: UInt64 = (1 << 32) - 1
            if size > chunksMax << 22 || size > chunksMax << UInt64(node.attributes.chunkBytesLog2) {
                throw .fileTooLarge
            }
            if size == 0 {
                if node.attributes.reservedSize > 0 || node.attributes.size > 0 {
                    queue(node)
                    node.attributes.data = .none
                }
                node.attributes.reservedSize = 0
                node.attributes.allocatedBytes = 0
            } else if let allocated = change.allocatedBytes {
                node.attributes.allocatedBytes = allocated
            }
            node.attributes.size = size
            node.attributes.reservedSize = max(size, node.attributes.reservedSize)
            node.attributes.modifyTime = now
        }
        if change.permissions == nil, change.uid != nil || change.gid != nil, !node.isDirectory {
            let groupMayExecute = node.attributes.mode & 0o10 != 0
            node.attributes.mode &= groupMayExecute ? ~0o6000 : ~0o4000
        }
        if !node.isDirectory, change.size != nil || change.uid != nil || change.gid != nil {
            node.set(.capability, nil)
        }
        if let permissions = change.permissions {
            if let bytes = node.extended[.accessList] {
                var list = ModelList(bytes: bytes)
                list.chmod(permissions)
                node.set(.accessList, list.bytes)
            }
            node.attributes.mode = node.attributes.kind.rawValue + permissions % 0o10000
        }
        node.attributes.uid = change.uid ?? node.attributes.uid
        node.attributes.gid = change.gid ?? node.attributes.gid
        node.attributes.accessTime = change.accessTime ?? node.attributes.accessTime
        node.attributes.modifyTime = change.modifyTime ?? node.attributes.modifyTime
        node.attributes.changeTime = now
        return node
    }

    func commitWrite(_ request: CommitWriteRequest, fresh: DataID) throws(FileError) -> Node {
        let node = try node(request.inode)
        if node.attributes.kind != .regular || request.size > request.reservedSize { throw .invalidArgument }
        if node.attributes.data == .none, request.reservedSize > 0 { node.attributes.data = fresh }
        node.attributes.size = request.size
        node.attributes.reservedSize = request.reservedSize
        node.attributes.allocatedBytes = request.allocatedBytes
        node.attributes.modifyTime = request.modifyTime
        node.attributes.changeTime = request.changeTime
        return node
    }

    func reclaimOrphan(_ inode: InodeID) -> Bool {
        guard orphans.remove(inode) != nil, let node = nodes.removeValue(forKey: inode) else { return false }
        queue(node)
        return true
    }

    private func changedNames(_ directory: Node) {
        directory.attributes.modifyTime = now
        directory.attributes.changeTime = now
        directory.attributes.linkCount = 2 + UInt32(directory.entries.count { $0.node.isDirectory })
    }

    private func loseName(_ node: Node) {
        node.attributes.linkCount = node.isDirectory ? 0 : node.attributes.linkCount - 1
        node.attributes.changeTime = now
        guard node.attributes.linkCount == 0 else { return }
        if node.attributes.kind != .directory, inUse.contains(node.attributes.inode) {
            orphans.insert(node.attributes.inode)
        } else {
            nodes[node.attributes.inode] = nil
            queue(node)
        }
    }

    private func queue(_ node: Node) {
        let bytes = max(node.attributes.size, node.attributes.reservedSize)
        guard node.attributes.kind == .regular, bytes > 0, node.attributes.data != .none else { return }
        let chunk = UInt64(1) << node.attributes.chunkBytesLog2
        reclaim[node.attributes.data] = bytes / chunk + (bytes % chunk == 0 ? 0 : 1)
    }
}
