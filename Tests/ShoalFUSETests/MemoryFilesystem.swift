import Glibc
import ShoalFUSE
import ShoalTypes
import Synchronization

/// A filesystem in memory, just enough to see every operation arrive. Tests override what they want otherwise.
///
/// Unchecked: the nodes belong to the thread that serves; tests read only `observed`.
class MemoryFilesystem: FuseFilesystem, @unchecked Sendable {
    final class Node {
        var attributes: FileAttributes
        var bytes: [UInt8] = []
        var entries: [(cookie: FuseDirectoryCookie, name: FileName, inode: InodeID)] = []
        var parent = InodeID.root
        var lookups: UInt64 = 0
        init(_ attributes: FileAttributes) { self.attributes = attributes }
    }

    /// What arrived, for the tests to look at.
    struct Observed {
        var calls: [String: Int] = [:]
        var largestRead = 0
        var largestWrite = 0
        var openFlags: [FuseOpenFlags] = []
        var writeFlags: [FuseOpenFlags] = []
        var changes: [FuseAttributeChange] = []
        var renames: [FuseRenameFlags] = []
        var callers: [FuseCaller] = []
        var lookupsHeld: [InodeID: UInt64] = [:]
    }

    let observed = Mutex(Observed())
    var openOptions: FuseOpenOptions { [] }
    private var nodes: [InodeID: Node] = [:]
    private var inodeNext = InodeID(2)
    private var cookieNext = FuseDirectoryCookie(1)

    init() {
        nodes[.root] = Node(FileAttributes(inode: .root, mode: FileKind.directory.rawValue | 0o755, linkCount: 2))
    }

    func note(_ call: String = #function) {
        observed.withLock { $0.calls[String(call.prefix { $0 != "(" }), default: 0] += 1 }
    }

    func node(_ inode: InodeID) throws(FileError) -> Node {
        guard let node = nodes[inode] else { throw .stale }
        return node
    }

    func find(_ name: FileName, in parent: InodeID) throws(FileError) -> Node {
        guard let entry = try node(parent).entries.first(where: { $0.name == name }) else { throw .notFound }
        return try node(entry.inode)
    }

    func insert(_ name: FileName, in parent: InodeID, _ node: Node) throws(FileError) {
        try self.node(parent).entries.append((cookieNext, name, node.attributes.inode))
        node.parent = parent
        cookieNext = cookieNext.next
    }

    func make(
        _ name: FileName, in parent: InodeID, mode: UInt32, caller: FuseCaller, device: UInt32 = 0
    ) throws(FileError) -> Node {
        guard try node(parent).entries.allSatisfy({ $0.name != name }) else { throw .exists }
        let node = Node(
            FileAttributes(inode: inodeNext, mode: mode, uid: caller.uid, gid: caller.gid, device: device))
        nodes[inodeNext] = node
        inodeNext = inodeNext.next
        try insert(name, in: parent, node)
        observed.withLock { $0.callers.append(caller) }
        return node
    }

    func remove(_ name: FileName, in parent: InodeID) throws(FileError) -> Node {
        let directory = try node(parent)
        guard let index = directory.entries.firstIndex(where: { $0.name == name }) else { throw .notFound }
        return try node(directory.entries.remove(at: index).inode)
    }

    private func countLookup(_ inode: InodeID) {
        observed.withLock { $0.lookupsHeld[inode, default: 0] += 1 }
    }

    private func answer(_ reply: FuseEntryReply, _ body: () throws(FileError) -> Node) {
        do throws(FileError) {
            let node = try body()
            if reply.entry(node.attributes) { countLookup(node.attributes.inode) }
        } catch {
            reply.error(error)
        }
    }

    private func answer(_ reply: FuseEmptyReply, _ body: () throws(FileError) -> Void) {
        do throws(FileError) {
            try body()
            reply.done()
        } catch {
            reply.error(error)
        }
    }

    func lookup(_ name: FileName, in parent: InodeID, reply: FuseEntryReply) {
        note()
        answer(reply) { () throws(FileError) in try find(name, in: parent) }
    }

    func forget(_ inode: InodeID, lookups: UInt64) {
        observed.withLock { observed in
            observed.lookupsHeld[inode, default: 0] -= lookups
            if observed.lookupsHeld[inode] == 0 { observed.lookupsHeld[inode] = nil }
        }
    }

    func getAttributes(of inode: InodeID, handle: FuseFileHandle?, reply: FuseAttributesReply) {
        note()
        do throws(FileError) { reply.attributes(try node(inode).attributes) } catch { reply.error(error) }
    }

    func setAttributes(
        of inode: InodeID, _ change: FuseAttributeChange, handle: FuseFileHandle?, reply: FuseAttributesReply
    ) {
        note()
        observed.withLock { $0.changes.append(change) }
        do throws(FileError) {
            let node = try node(inode)
            if let bits = change.permissions {
                node.attributes.mode = node.attributes.mode & FileKind.mask | bits
            }
            if let uid = change.uid { node.attributes.uid = uid }
            if let gid = change.gid { node.attributes.gid = gid }
            if let size = change.size { resize(node, to: Int(size)) }
            if case .at(let time) = change.accessTime { node.attributes.accessTime = time }
            if case .at(let time) = change.modifyTime { node.attributes.modifyTime = time }
            reply.attributes(node.attributes)
        } catch {
            reply.error(error)
        }
    }

    private func resize(_ node: Node, to size: Int) {
        node.bytes.removeLast(max(node.bytes.count - size, 0))
        node.bytes.append(contentsOf: repeatElement(0, count: size - node.bytes.count))
        node.attributes.size = UInt64(size)
        node.attributes.allocatedBytes = UInt64(size)
    }

    func readLink(_ inode: InodeID, reply: FuseLinkTargetReply) {
        note()
        do throws(FileError) { reply.target(try node(inode).bytes) } catch { reply.error(error) }
    }

    func makeNode(
        _ name: FileName, in parent: InodeID, mode: UInt32, device: UInt32, caller: FuseCaller, reply: FuseEntryReply
    ) {
        note()
        answer(reply) { () throws(FileError) in
            try make(name, in: parent, mode: mode, caller: caller, device: device)
        }
    }

    func makeDirectory(
        _ name: FileName, in parent: InodeID, mode: UInt32, caller: FuseCaller, reply: FuseEntryReply
    ) {
        note()
        answer(reply) { () throws(FileError) in
            try make(name, in: parent, mode: FileKind.directory.rawValue | mode, caller: caller)
        }
    }

    func makeSymlink(
        _ name: FileName, in parent: InodeID, target: [UInt8], caller: FuseCaller, reply: FuseEntryReply
    ) {
        note()
        answer(reply) { () throws(FileError) in
            let node = try make(name, in: parent, mode: FileKind.symlink.rawValue | 0o777, caller: caller)
            node.bytes = target
            node.attributes.size = UInt64(target.count)
            return node
        }
    }

    func makeLink(to inode: InodeID, _ name: FileName, in parent: InodeID, reply: FuseEntryReply) {
        note()
        answer(reply) { () throws(FileError) in
            let node = try node(inode)
            try insert(name, in: parent, node)
            node.attributes.linkCount += 1
            return node
        }
    }

    func unlink(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply) {
        note()
        answer(reply) { () throws(FileError) in try remove(name, in: parent).attributes.linkCount -= 1 }
    }

    func removeDirectory(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply) {
        note()
        answer(reply) { () throws(FileError) in
            guard try find(name, in: parent).entries.isEmpty else { throw .notEmpty }
            _ = try remove(name, in: parent)
        }
    }

    func rename(
        _ name: FileName, in parent: InodeID, to newName: FileName, in newParent: InodeID, flags: FuseRenameFlags,
        reply: FuseEmptyReply
    ) {
        note()
        observed.withLock { $0.renames.append(flags) }
        answer(reply) { () throws(FileError) in
            let isTaken = try node(newParent).entries.contains { $0.name == newName }
            if flags.contains(.noReplace), isTaken { throw .exists }
            let moved = try remove(name, in: parent)
            if isTaken {
                let replaced = try remove(newName, in: newParent)
                if flags.contains(.exchange) { try insert(name, in: parent, replaced) }
            }
            try insert(newName, in: newParent, moved)
        }
    }

    func open(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        note()
        observed.withLock { $0.openFlags.append(flags) }
        do throws(FileError) {
            if flags.isTruncate { resize(try node(inode), to: 0) }
            reply.opened(FuseFileHandle(inode.rawValue + 1000), options: openOptions)
        } catch {
            reply.error(error)
        }
    }

    func create(
        _ name: FileName, in parent: InodeID, mode: UInt32, flags: FuseOpenFlags, caller: FuseCaller,
        reply: FuseCreateReply
    ) {
        note()
        observed.withLock { $0.openFlags.append(flags) }
        do throws(FileError) {
            let inode = try make(name, in: parent, mode: mode, caller: caller).attributes.inode
            let attributes = try node(inode).attributes
            if reply.created(attributes, FuseFileHandle(inode.rawValue + 1000), options: openOptions) {
                countLookup(inode)
            }
        } catch {
            reply.error(error)
        }
    }

    func read(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, count: Int, flags: FuseOpenFlags, reply: FuseReadReply
    ) {
        note()
        observed.withLock { $0.largestRead = max($0.largestRead, count) }
        do throws(FileError) {
            guard handle.rawValue == inode.rawValue + 1000 else { throw .badDescriptor }
            try node(inode).bytes.withUnsafeBytes { bytes in
                let range = min(Int(offset), bytes.count)..<min(Int(offset) + count, bytes.count)
                // In two pieces, so that gathering is tested with every read.
                let middle = (range.lowerBound + range.upperBound) / 2
                reply.gather(
                    [range.lowerBound..<middle, middle..<range.upperBound].map {
                        UnsafeRawBufferPointer(rebasing: bytes[$0])
                    })
            }
        } catch {
            reply.error(error)
        }
    }

    func write(
        _ inode: InodeID, handle: FuseFileHandle, offset: UInt64, bytes: UnsafeRawBufferPointer, flags: FuseOpenFlags,
        reply: FuseWriteReply
    ) {
        note()
        observed.withLock {
            $0.largestWrite = max($0.largestWrite, bytes.count)
            $0.writeFlags.append(flags)
        }
        do throws(FileError) {
            let node = try node(inode)
            let end = Int(offset) + bytes.count
            if node.bytes.count < end { resize(node, to: end) }
            node.bytes.replaceSubrange(Int(offset)..<end, with: bytes)
            reply.written(bytes.count)
        } catch {
            reply.error(error)
        }
    }

    func flush(_ inode: InodeID, handle: FuseFileHandle, owner: LockOwner, reply: FuseEmptyReply) {
        note()
        reply.done()
    }

    func release(_ inode: InodeID, handle: FuseFileHandle, flags: FuseOpenFlags, reply: FuseEmptyReply) {
        note()
        reply.done()
    }

    func synchronize(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        note(dataOnly ? "fdatasync" : "fsync")
        reply.done()
    }

    func openDirectory(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        note()
        reply.opened(FuseFileHandle(inode.rawValue + 2000))
    }

    func readDirectory(
        _ inode: InodeID, handle: FuseFileHandle, after cookie: FuseDirectoryCookie, reply: FuseDirectoryReply
    ) {
        note(reply.wantsAttributes ? "readdirplus" : "readdir")
        do throws(FileError) {
            var added: [InodeID] = []
            reply.addDots(parent: try node(inode).parent)
            for entry in try node(inode).entries where entry.cookie > cookie {
                let attributes = try node(entry.inode).attributes
                guard reply.add(entry.name, attributes, next: entry.cookie) else { break }
                added.append(entry.inode)
            }
            if reply.finish(), reply.wantsAttributes { added.forEach(countLookup) }
        } catch {
            reply.error(error)
        }
    }

    func releaseDirectory(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply) {
        note()
        reply.done()
    }

    func synchronizeDirectory(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        note()
        reply.done()
    }

    func statistics(_ inode: InodeID, reply: FuseStatisticsReply) {
        note()
        var statistics = FuseStatistics()
        statistics.blocksTotal = 1000
        statistics.blocksFree = 600
        statistics.inodesTotal = 77
        statistics.inodesFree = 33
        reply.statistics(statistics)
    }
}
