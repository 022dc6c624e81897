import ShoalTypes
import ShoalWire

extension CreateNode: LeasedOperation {
    static var operation: Operation { .create }
    static var isChange: Bool { true }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        answer.parentGrant = core.ride(request.parent, session)
        guard answer.attributes.linkCount > 0 else { return }
        if !isRetry, request.opensForWriting, answer.attributes.kind == .regular {
            // Nobody else can know the inode yet, and the reservation is the requester's own.
            answer.grant = core.give(.write, of: answer.attributes.inode, to: session)
        } else {
            answer.grant = core.ride(answer.attributes.inode, session)
        }
    }
}

extension MakeLink: LeasedOperation {
    static var operation: Operation { .link }
    static var isChange: Bool { true }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        answer.parentGrant = core.ride(request.parent, session)
        if answer.attributes.linkCount > 0 { answer.grant = core.ride(answer.attributes.inode, session) }
    }
}

extension SetAttributes: LeasedOperation {
    static var operation: Operation { .setAttributes }
    static var isChange: Bool { true }
    /// Another length is set by the writer only: others may not know what it has buffered, nor may the nodes.
    func refusal(_ core: MetadataCore, _ session: Session) -> WireStatus? {
        guard let size = request.change.size, size > 0 else { return nil }
        return core.leases.mode(request.inode, session.id) == .write ? nil : .staleLease
    }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        if request.change.size == 0 { core.tailIsClean(request.inode, session) }
        if answer.attributes.linkCount > 0 || core.leases.isHeld(request.inode) {
            answer.grant = core.ride(request.inode, session)
        }
    }
}

extension Unlink: LeasedOperation {
    static var operation: Operation { .unlink }
    var unused: InodeID { request.unused }
}

extension RemoveDirectory: LeasedOperation {
    static var operation: Operation { .removeDirectory }
}

extension Rename: LeasedOperation {
    static var operation: Operation { .rename }
    /// Even if both are names of one file, and nothing happens here.
    var namesTakenAlong: [(directory: InodeID, name: FileName)] {
        [(request.parent, request.name), (request.newParent, request.newName)]
    }
    var unused: InodeID { request.unused }
}
