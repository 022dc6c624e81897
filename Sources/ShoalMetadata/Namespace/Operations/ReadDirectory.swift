import ShoalTypes
import ShoalWire

/// x
package struct ReadDirectory: NamespaceOperation {
    package let request: ReadDirectoryRequest
    package init(_ request: ReadDirectoryRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        throw .file(.notImplemented)
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> ReadDirectoryReply {
        throw .file(.notImplemented)
    }
}
