import ShoalTypes
import ShoalWire

/// removexattr(2). Without its access ACL a file keeps its mode. An ACL that is not there is removed all the same, as on
/// Linux's local filesystems: nothing changes.
///
/// Errors: `.notFound` (no such inode), `.noData` (no such attribute).
package struct RemoveExtendedAttribute: NamespaceOperation {
    package let request: ExtendedAttributeRequest
    package init(_ request: ExtendedAttributeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try transaction.existing(request.inode)
        return try isNothing(transaction) ? [] : [.change(request.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        var record = try transaction.existing(request.inode)
        if try isNothing(transaction) { return EntryReply(attributes: record.attributes, grant: .none) }
        try transaction.setExtendedAttribute(request.name, of: &record, to: nil)
        record.attributes.changeTime = context.now
        transaction.update(record)
        return EntryReply(attributes: record.attributes, grant: .none)
    }

    /// There is no such ACL.
    private func isNothing(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> Bool {
        let record = try transaction.existing(request.inode)
        if try transaction.extendedAttribute(request.name, of: record) != nil { return false }
        guard request.name.isAccessControlList else { throw .file(.noData) }
        return true
    }
}
