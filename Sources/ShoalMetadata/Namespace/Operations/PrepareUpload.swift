import ShoalTypes
import ShoalWire

/// x
package struct PrepareUpload: NamespaceOperation {
    package let request: PrepareUploadRequest
    package init(_ request: PrepareUploadRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        throw .file(.notImplemented)
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> PrepareUploadReply {
        throw .file(.notImplemented)
    }
}
