import ShoalTypes
import ShoalWire

extension CommitWrite: LeasedOperation {
    static var operation: Operation { .commitWrite }
    static var isChange: Bool { true }
    /// Accepted for as long as the write lease stands, also while it is being recalled: this is the flush.
    func refusal(_ core: MetadataCore, _ session: Session) -> WireStatus? {
        guard let lease = core.leases.holder(request.inode, session.id), lease.mode == .write,
            lease.sequence == request.sequence
        else { return .staleLease }
        return nil
    }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        core.tailIsClean(request.inode, session)
        answer.grant = core.ride(request.inode, session)
    }
}

extension PrepareUpload: LeasedOperation {
    static var operation: Operation { .prepareUpload }
    static var isChange: Bool { true }
}

extension PublishUpload: LeasedOperation {
    static var operation: Operation { .publishUpload }
    static var isChange: Bool { true }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        answer.parentGrant = core.ride(request.parent, session)
        if answer.attributes.linkCount > 0 { answer.grant = core.ride(answer.attributes.inode, session) }
    }
}

extension AbandonUpload: LeasedOperation {
    static var operation: Operation { .abandonUpload }
    static var isChange: Bool { true }
}
