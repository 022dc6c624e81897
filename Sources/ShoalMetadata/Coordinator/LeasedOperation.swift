import ShoalTypes
import ShoalWire

/// A namespace operation as the coordinator runs it: what it needs besides leases of others, and which leases ride
/// along on its answer.
protocol LeasedOperation: NamespaceOperation {
    static var operation: Operation { get }
    /// Its commit stores the reply, for retries.
    static var isChange: Bool { get }
    /// The inode that the requester says it has not open, though the operation may take its last name.
    var unused: InodeID { get }
    /// A lease that the requester waits for, first come first served.
    var acquisition: LeaseAcquisition? { get }
    /// Why the requester's own leases do not allow the operation, if so.
    func refusal(_ core: MetadataCore, _ session: Session) -> WireStatus?
    /// Adds grants to the answer, after the commit. `isRetry`: the answer is of an earlier execution, brought up to
    /// date.
    func attachGrants(to answer: inout Answer, _ core: MetadataCore, _ session: Session, isRetry: Bool)
    /// Brings the stored answer of an earlier execution up to what is true now.
    func refresh(_ answer: inout Answer, _ transaction: inout NamespaceTransaction) throws(MetadataError)
    /// Names by which the requester's kernel may know what it knew by others, once it is answered.
    var namesTakenAlong: [(directory: InodeID, name: FileName)] { get }
    /// The inode that no longer exists, or has become an orphan.
    func removed(by answer: Answer) -> FileAttributes?
}

extension LeasedOperation {
    static var isChange: Bool { false }
    var namesTakenAlong: [(directory: InodeID, name: FileName)] { [] }
    var unused: InodeID { InodeID(0) }
    var acquisition: LeaseAcquisition? { nil }
    func refusal(_ core: MetadataCore, _ session: Session) -> WireStatus? { nil }
    func attachGrants(to answer: inout Answer, _ core: MetadataCore, _ session: Session, isRetry: Bool) {}
    func refresh(_ answer: inout Answer, _ transaction: inout NamespaceTransaction) throws(MetadataError) {}
    func removed(by answer: Answer) -> FileAttributes? { nil }
}

extension LeasedOperation where Answer == EntryReply {
    /// Others may have changed the file and the directory since the change that is being retried.
    func refresh(_ answer: inout EntryReply, _ transaction: inout NamespaceTransaction) throws(MetadataError) {
        if let now = try transaction.inode(answer.attributes.inode) {
            answer.attributes = now.attributes
        } else {
            answer.attributes.linkCount = 0
        }
        guard answer.parent.inode != InodeID(0) else { return }
        answer.parent = try transaction.inode(answer.parent.inode)?.attributes ?? FileAttributes()
    }
}

extension LeasedOperation where Answer == RemovalReply {
    static var isChange: Bool { true }
    func removed(by answer: RemovalReply) -> FileAttributes? {
        answer.removed.inode == InodeID(0) ? nil : answer.removed
    }
    func refresh(_ answer: inout RemovalReply, _ transaction: inout NamespaceTransaction) throws(MetadataError) {
        var changed: [FileAttributes] = []
        for attributes in answer.changed {
            if let now = try transaction.inode(attributes.inode) { changed.append(now.attributes) }
        }
        answer.changed = changed
        guard let now = try transaction.inode(answer.removed.inode) else { return answer.isOrphan = false }
        answer.removed = now.attributes
    }
    func attachGrants(to answer: inout RemovalReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        answer.grant = core.held(answer.removed.inode, session)
    }
}
