import ShoalTypes
import ShoalWire

/// The upload will not be published: its chunks are queued for reclaim. An upload that is not there is no error.
package struct AbandonUpload: NamespaceOperation {
    package let request: AbandonUploadRequest
    package init(_ request: AbandonUploadRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        return []
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> Empty {
        let key = Keys.upload(context.session, request.data)
        if let upload = try transaction.record(UploadRecord.self, key) {
            transaction.abandon(upload, context.session, request.data)
        }
        return Empty()
    }
}
