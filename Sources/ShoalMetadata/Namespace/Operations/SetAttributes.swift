import ShoalTypes
import ShoalWire

/// x
package struct SetAttributes: NamespaceOperation {
    package let request: SetAttributesRequest
    package init(_ request: SetAttributesRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        throw .file(.notImplemented)
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        throw .file(.notImplemented)
    }
}
