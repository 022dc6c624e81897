import ShoalTypes
import ShoalWire

/// readlink(2).
///
/// Errors: `.notFound`, `.invalidArgument` (no symlink).
package struct ReadLink: NamespaceOperation {
    package let request: InodeRequest
    package init(_ request: InodeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try find(transaction)
        return []
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> ReadLinkReply {
        let record = try find(transaction)
        guard let target = try transaction.record(SymlinkTarget.self, Keys.symlink(record.inode)) else {
            throw .corrupt("symlink \(record.inode) has no target")
        }
        return ReadLinkReply(target: target.target)
    }

    private func find(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> InodeRecord {
        let record = try transaction.existing(request.inode)
        guard record.attributes.kind == .symlink else { throw .file(.invalidArgument) }
        return record
    }
}
