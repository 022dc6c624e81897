import ShoalTypes
import ShoalWire

/// Waits for a lease of at least the mode asked for. Of `.pin`: never waits, and its attributes are the committed ones.
struct AcquireLease: LeasedOperation {
    static var operation: Operation { .acquireLease }
    let request: AcquireLeaseRequest
    var caller: Caller { request.caller }
    var acquisition: (inode: InodeID, mode: LeaseMode)? { (request.inode, request.mode) }

    /// - Throws: `.notFound`; `.invalidArgument` for the write lease of what is no regular file, and for mode `.none`.
    func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let record = try transaction.existing(request.inode)
        switch request.mode {
        case .none: throw .file(.invalidArgument)
        case .write: if record.attributes.kind != .regular { throw .file(.invalidArgument) }
        case .pin, .read: break
        }
        return []
    }

    func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        EntryReply(attributes: try transaction.existing(request.inode).attributes, grant: .none)
    }

    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        let isNewWriter = request.mode == .write && core.leases.mode(request.inode, session.id) != .write
        answer.grant = core.give(request.mode, of: request.inode, to: session)
        answer.grant.tailUnclean = isNewWriter && answer.attributes.reservedSize > answer.attributes.size
    }
}
