import ShoalTypes
import ShoalWire

/// getxattr(2).
///
/// Errors: `.notFound` (no such inode), `.noData` (no such attribute).
package struct GetExtendedAttribute: NamespaceOperation {
    package let request: ExtendedAttributeRequest
    package init(_ request: ExtendedAttributeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] { [] }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> ExtendedAttributeReply {
        let record = try transaction.existing(request.inode)
        guard let value = try transaction.extendedAttribute(request.name, of: record) else { throw .file(.noData) }
        return ExtendedAttributeReply(value: value)
    }
}
