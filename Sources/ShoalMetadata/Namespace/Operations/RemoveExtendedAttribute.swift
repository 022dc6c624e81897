import ShoalTypes
import ShoalWire

/// removexattr(2). Without its access ACL a file keeps its mode.
///
/// Errors: `.notFound` (no such inode), `.noData` (no such attribute).
package struct RemoveExtendedAttribute: NamespaceOperation {
    package let request: ExtendedAttributeRequest
    package init(_ request: ExtendedAttributeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try find(transaction)
        return [.change(request.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        var record = try find(transaction)
        try transaction.setExtendedAttribute(request.name, of: &record, to: nil)
        record.attributes.changeTime = context.now
        transaction.update(record)
        return EntryReply(attributes: record.attributes, grant: .none)
    }

    private func find(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> InodeRecord {
        let record = try transaction.existing(request.inode)
        guard try transaction.extendedAttribute(request.name, of: record) != nil else { throw .file(.noData) }
        return record
    }
}
