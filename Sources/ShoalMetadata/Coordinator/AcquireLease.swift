import ShoalTypes
import ShoalWire

/// Waits for a lease of at least the mode asked for, and first for the end of a recall of what the session has. A
/// `.pin` waits for nobody else, and its attributes are the committed ones.
struct AcquireLease: LeasedOperation {
    static var operation: Operation { .acquireLease }
    let request: AcquireLeaseRequest
    var caller: Caller { request.caller }
    var acquisition: (inode: InodeID, mode: LeaseMode)? { (request.inode, request.mode) }

    /// - Throws: `.notFound`; `.invalidArgument` for the write lease of what is no regular file, and for modes that nobody
    ///   asks for.
    func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let record = try transaction.existing(request.inode)
        switch request.mode {
        case .none, .names: throw .file(.invalidArgument)
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
        let isUnclean = request.mode == .write && answer.attributes.reservedSize > answer.attributes.size
        answer.grant = core.give(request.mode, of: request.inode, to: session, tailUnclean: isUnclean)
    }
}
