import ShoalTypes
import ShoalWire

/// listxattr(2), with the values that are short enough: what a mount caches under its lease.
///
/// Errors: `.notFound`.
package struct ListExtendedAttributes: NamespaceOperation {
    package let request: InodeRequest
    package init(_ request: InodeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try transaction.existing(request.inode)
        return []
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> ExtendedAttributesReply {
        let record = try transaction.existing(request.inode)
        var entries: [ExtendedAttribute] = []
        var room = ExtendedAttributeLimits.listedBytesMax
        try transaction.eachExtendedAttribute(of: record) { name, value in
            let isListed = value.count <= min(room, ExtendedAttributeLimits.listedValueBytesMax)
            if isListed { room -= value.count }
            entries.append(ExtendedAttribute(name: name, value: isListed ? value : nil))
            return true
        }
        return ExtendedAttributesReply(attributes: record.attributes, entries: entries)
    }
}
