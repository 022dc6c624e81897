import ShoalTypes
import ShoalWire

extension SetExtendedAttribute: LeasedOperation {
    static var operation: Operation { .setExtendedAttribute }
    static var isChange: Bool { true }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        if answer.attributes.linkCount > 0 || core.leases.isHeld(request.inode) {
            answer.grant = core.ride(request.inode, session)
        }
    }
}

extension RemoveExtendedAttribute: LeasedOperation {
    static var operation: Operation { .removeExtendedAttribute }
    static var isChange: Bool { true }
    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        if answer.attributes.linkCount > 0 || core.leases.isHeld(request.inode) {
            answer.grant = core.ride(request.inode, session)
        }
    }
}

extension GetExtendedAttribute: LeasedOperation {
    static var operation: Operation { .getExtendedAttribute }
}

extension ListExtendedAttributes: LeasedOperation {
    static var operation: Operation { .listExtendedAttributes }
    /// Nobody's write lease is in the way of the answer: writers do not cache changes of extended attributes.
    func attachGrants(to answer: inout ExtendedAttributesReply, _ core: MetadataCore, _ session: Session, isRetry: Bool)
    {
        answer.grant = core.ride(request.inode, session)
    }
}
