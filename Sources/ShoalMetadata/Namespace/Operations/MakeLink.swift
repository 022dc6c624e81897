import ShoalTypes
import ShoalWire

/// x
package struct MakeLink: NamespaceOperation {
    package let request: LinkRequest
    package init(_ request: LinkRequest) { self.request = request }
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
