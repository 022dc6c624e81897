import ShoalKeyValue
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

/// A fresh filesystem in a store, and shorthand for operations on it: each runs in its own transaction, as in the
/// server.
final class NamespaceFixture {
    private(set) var store: any KeyValueStore
    let limits: NamespaceLimits
    var namespace: Namespace
    var now = Timestamp(seconds: 1_000_000)
    /// Answers to `LeaseNeed.lastName`.
    var inUse: [InodeID] = []

    init(_ store: any KeyValueStore = InMemoryStore(), limits: NamespaceLimits = .simulation) throws {
        self.store = store
        self.limits = limits
        try Namespace.format(store, cluster: ClusterID(7), uid: 0, gid: 0, now: now)
        namespace = try Namespace(store: store, limits: limits)
    }

    /// Closes the store and opens it again, for engines that outlive the object.
    var reopen: ((any KeyValueStore) throws -> any KeyValueStore)?

    /// As after a crash of the process: whatever was in memory only is gone.
    func restart() throws {
        if let reopen { store = try reopen(store) }
        namespace = try Namespace(store: store, limits: limits)
    }

    var context: OperationContext {
        var context = OperationContext(session: SessionID(1), now: now)
        context.inUse = inUse
        context.inUseByRequester = inUse
        return context
    }

    /// Runs one operation a second after the last. A refused one must have changed nothing.
    @discardableResult
    func run<Operation: NamespaceOperation>(_ operation: Operation) throws(MetadataError) -> Operation.Answer {
        now.seconds += 1
        var transaction = namespace.begin()
        let answer: Operation.Answer
        do throws(MetadataError) {
            _ = try operation.needs(&transaction)
            let looked = transaction.isEmpty
            #expect(looked, "\(Operation.self).needs changed something")
            answer = try operation.execute(&transaction, context)
        } catch {
            let untouched = transaction.isEmpty
            #expect(untouched, "\(Operation.self) was refused and changed something")
            throw error
        }
        try transaction.charge(enforcing: true)
        try namespace.commit(transaction)
        return answer
    }

    func needs(_ operation: some NamespaceOperation) throws -> [LeaseNeed] {
        var transaction = namespace.begin()
        return try operation.needs(&transaction)
    }

    @discardableResult
    func commit<Result>(_ body: (inout NamespaceTransaction) throws -> Result) throws -> Result {
        var transaction = namespace.begin()
        let result = try body(&transaction)
        try namespace.commit(transaction)
        return result
    }

    func create(
        _ name: String, in parent: InodeID = .root, _ kind: FileKind = .regular, mode: UInt32 = 0o644,
        opensForWriting: Bool = false
    ) throws -> InodeID {
        var request = CreateRequest()
        request.parent = parent
        request.name = try FileName(name.utf8)
        request.mode = kind.rawValue | mode
        request.uid = 10
        request.gid = 20
        request.opensForWriting = opensForWriting
        if kind == .symlink { request.target = Array("target".utf8) }
        return try run(CreateNode(request)).attributes.inode
    }

    func directory(_ name: String, in parent: InodeID = .root) throws -> InodeID {
        try create(name, in: parent, .directory, mode: 0o755)
    }

    func rename(
        _ name: String, in parent: InodeID = .root, to newName: String, into newParent: InodeID = .root,
        _ rule: RenameRequest.Rule = .replace
    ) throws -> RemovalReply {
        try run(Rename(renameRequest(name, in: parent, to: newName, into: newParent, rule)))
    }

    func renameRequest(
        _ name: String, in parent: InodeID, to newName: String, into newParent: InodeID, _ rule: RenameRequest.Rule
    ) throws -> RenameRequest {
        var request = RenameRequest()
        request.parent = parent
        request.name = try FileName(name.utf8)
        request.newParent = newParent
        request.newName = try FileName(newName.utf8)
        request.rule = rule
        return request
    }

    func nameRequest(_ name: String, in parent: InodeID = .root) throws -> NameRequest {
        NameRequest(caller: Caller(), parent: parent, name: try FileName(name.utf8))
    }

    func unlink(_ name: String, in parent: InodeID = .root) throws -> RemovalReply {
        try run(Unlink(nameRequest(name, in: parent)))
    }

    func removeDirectory(_ name: String, in parent: InodeID = .root) throws -> RemovalReply {
        try run(RemoveDirectory(nameRequest(name, in: parent)))
    }

    func lookup(_ name: String, in parent: InodeID = .root) throws -> FileAttributes? {
        try run(Lookup(nameRequest(name, in: parent))).found?.attributes
    }

    func link(_ inode: InodeID, as name: String, in parent: InodeID = .root) throws -> FileAttributes {
        let request = LinkRequest(caller: Caller(), inode: inode, parent: parent, name: try FileName(name.utf8))
        return try run(MakeLink(request)).attributes
    }

    func attributes(_ inode: InodeID) throws -> FileAttributes {
        try run(GetAttributes(InodeRequest(caller: Caller(), inode: inode))).attributes
    }

    func set(_ inode: InodeID, _ edit: (inout AttributeChange) -> Void) throws -> FileAttributes {
        var change = AttributeChange()
        edit(&change)
        return try run(SetAttributes(SetAttributesRequest(caller: Caller(), inode: inode, change: change))).attributes
    }

    func commitWrite(
        _ inode: InodeID, size: UInt64, reserved: UInt64, needed: UInt64? = nil
    ) throws -> FileAttributes {
        var request = CommitWriteRequest()
        request.inode = inode
        request.size = size
        request.reservedSize = reserved
        request.neededSize = needed ?? reserved
        request.modifyTime = now
        request.changeTime = now
        return try run(CommitWrite(request)).attributes
    }

    func page(
        _ inode: InodeID = .root, after: UInt64 = 0, before: UInt64 = 0, limit: UInt32 = 1024,
        withAttributes: Bool = false
    ) throws -> ReadDirectoryReply {
        try run(
            ReadDirectory(
                ReadDirectoryRequest(
                    caller: Caller(), inode: inode, after: after, before: before, limit: limit,
                    withAttributes: withAttributes)))
    }

    func names(_ inode: InodeID = .root) throws -> [String] { try page(inode).entries.map { "\($0.name)" } }

    func reclaimQueue() throws -> [ReclaimEntry] { try namespace.begin().reclaimEntries(limit: .max) }
    func orphans() throws -> [InodeID] { try namespace.begin().orphans(limit: .max) }
}
