import ShoalTypes
import ShoalWire

/// Quotas and the trash: none of it shows in attributes, so few leases stand in the way.
extension SetQuota: LeasedOperation {
    static var operation: Operation { .setQuota }
    static var isChange: Bool { true }
    /// A small directory is counted by the time of the reply.
    func attachGrants(to answer: inout QuotaListReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        if core.namespace.quotas[request.inode]?.state == .counting { core.tickQuotas() }
        answer.entries = core.namespace.quotas[request.inode].map { [QuotaEntry(request.inode, $0)] } ?? []
    }
}

extension ListQuotas: LeasedOperation {
    static var operation: Operation { .listQuotas }
}

extension RemoveQuota: LeasedOperation {
    static var operation: Operation { .removeQuota }
    static var isChange: Bool { true }
}

extension SetTrash: LeasedOperation {
    static var operation: Operation { .setTrash }
    static var isChange: Bool { true }
}

extension ListTrash: LeasedOperation {
    static var operation: Operation { .listTrash }
}

extension EmptyTrash: LeasedOperation {
    static var operation: Operation { .emptyTrash }
    static var isChange: Bool { true }
}

extension BeginTrashHour: LeasedOperation {
    static var operation: Operation { .create }
    static var isChange: Bool { true }
}

extension ExpireTrashEntry: LeasedOperation {
    static var operation: Operation { .unlink }
    /// The server has nothing open.
    var unused: InodeID { place.inode }
}
