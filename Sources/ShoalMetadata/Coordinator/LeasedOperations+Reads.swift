import ShoalTypes
import ShoalWire

extension Lookup: LeasedOperation {
    static var operation: Operation { .lookup }
    func attachGrants(to answer: inout LookupReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        answer.parentGrant = core.ride(request.parent, session)
        guard var found = answer.found else { return }
        found.grant = core.ride(found.attributes.inode, session)
        // Whoever looks a name up may open it next: the inode must not go in between.
        if found.grant.mode == .none, found.attributes.kind != .directory {
            found.grant = core.pin(found.attributes.inode, session)
        }
        found.parentGrant = answer.parentGrant
        answer.found = found
    }
}

extension GetAttributes: LeasedOperation {
    static var operation: Operation { .getAttributes }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        answer.grant = core.ride(request.inode, session)
    }
}

extension ReadDirectory: LeasedOperation {
    static var operation: Operation { .readDirectory }
    /// What another session is writing is shown without attributes: only the writer knows them.
    func attachGrants(to answer: inout ReadDirectoryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        guard request.withAttributes else { return }
        for index in answer.entries.indices where answer.entries[index].attributes != nil {
            let inode = answer.entries[index].inode
            if core.leases.isWritten(inode, besides: session.id) {
                answer.entries[index].attributes = nil
            } else {
                answer.entries[index].grant = core.ride(inode, session)
            }
        }
    }
}

extension ReadLink: LeasedOperation {
    static var operation: Operation { .readLink }
}

extension StatFileSystem: LeasedOperation {
    static var operation: Operation { .statFileSystem }
}
