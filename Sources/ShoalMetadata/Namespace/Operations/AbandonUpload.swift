import ShoalTypes
import ShoalWire

/// x
package struct AbandonUpload: NamespaceOperation {
    package let request: AbandonUploadRequest
    package init(_ request: AbandonUploadRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        throw .file(.notImplemented)
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> Empty {
        throw .file(.notImplemented)
    }
}
