import ShoalTypes
import ShoalWire

/// Phase one of an upload: a fresh data ID, remembered under the session until it is published or abandoned.
///
/// Errors: `.fileTooLarge`.
package struct PrepareUpload: NamespaceOperation {
    package let request: PrepareUploadRequest
    package init(_ request: PrepareUploadRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        try check(chunkBytesLog2: Geometry.chunkBytesLog2Range.upperBound)
        return []
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> PrepareUploadReply {
        try check(chunkBytesLog2: context.chunkBytesLog2)
        let data = transaction.allocateData()
        let upload = UploadRecord(size: request.size, chunkBytesLog2: context.chunkBytesLog2)
        transaction.put(Keys.upload(context.session, data), upload.stored())
        return PrepareUploadReply(data: data, sequence: context.sequence, chunkBytesLog2: context.chunkBytesLog2)
    }

    private func check(chunkBytesLog2: UInt8) throws(MetadataError) {
        guard request.size <= FileAttributes(chunkBytesLog2: chunkBytesLog2).sizeMax else { throw .file(.fileTooLarge) }
    }
}
