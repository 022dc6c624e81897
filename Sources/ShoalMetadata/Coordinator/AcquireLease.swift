import ShoalTypes
import ShoalWire

/// Waits for a lease of at least the mode asked for, and first for the end of a recall of what the session has. A
/// `.pin` waits for nobody else, and its attributes are the committed ones.
struct AcquireLease: LeasedOperation {
    static var operation: Operation { .acquireLease }
    let request: AcquireLeaseRequest
    var caller: Caller { request.caller }
    var acquisition: LeaseAcquisition? {
        LeaseAcquisition(inode: request.inode, mode: request.mode, extent: request.extent)
    }

    /// - Throws: `.notFound`; `.invalidArgument` for the write lease of what is no regular file, and for modes that nobody
    ///   asks for.
    func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let record = try transaction.existing(request.inode)
        switch request.mode {
        case .none, .names, .part: throw .file(.invalidArgument)
        case .write: if record.attributes.kind != .regular { throw .file(.invalidArgument) }
        case .pin, .read: break
        }
        guard !request.extent.isEmpty else { throw .file(.invalidArgument) }
        return []
    }

    func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        EntryReply(attributes: try transaction.existing(request.inode).attributes, grant: .none)
    }

    func attachGrants(to answer: inout EntryReply, _ core: MetadataCore, _ session: Session, isRetry: Bool) {
        guard let acquisition else { return }
        answer.grant = core.give(acquisition, to: session, answer.attributes)
    }
}
