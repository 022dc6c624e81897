import ShoalTypes
import ShoalWire

/// What stat(2) shows of an inode, orphans included.
///
/// Errors: `.notFound`.
package struct GetAttributes: NamespaceOperation {
    package let request: InodeRequest
    package init(_ request: InodeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try transaction.existing(request.inode)
        return [.observe(request.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        let record = try transaction.existing(request.inode)
        return EntryReply(attributes: context.merged(record.attributes), grant: .none)
    }
}
