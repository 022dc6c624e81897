import ShoalTypes
import ShoalWire

/// x
package struct Unlink: NamespaceOperation {
    package let request: NameRequest
    package init(_ request: NameRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        throw .file(.notImplemented)
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> RemovalReply {
        throw .file(.notImplemented)
    }
}
