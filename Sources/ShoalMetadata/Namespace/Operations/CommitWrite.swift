import ShoalTypes
import ShoalWire

/// Size, times and reservation as the holder of the write lease gives them; the nodes hold the bytes already. That the
/// lease is held is the coordinator's check. The first reservation after a truncation to 0 gives the file its new data
/// ID.
///
/// Errors: `.notFound`, `.invalidArgument` (no regular file, or a size above the reservation), `.fileTooLarge`.
package struct CommitWrite: NamespaceOperation {
    package let request: CommitWriteRequest
    package init(_ request: CommitWriteRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try find(transaction)
        return [.change(request.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        var record = try find(transaction)
        if record.attributes.data == .none, request.reservedSize > 0 {
            record.attributes.data = transaction.allocateData()
        }
        record.attributes.size = request.size
        record.attributes.reservedSize = request.reservedSize
        record.attributes.allocatedBytes = request.allocatedBytes
        record.attributes.modifyTime = request.modifyTime
        record.attributes.changeTime = request.changeTime
        transaction.update(record)
        return EntryReply(attributes: record.attributes, grant: .none)
    }

    private func find(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> InodeRecord {
        let record = try transaction.existing(request.inode)
        guard record.attributes.kind == .regular, request.size <= request.reservedSize else {
            throw .file(.invalidArgument)
        }
        guard request.reservedSize <= record.attributes.sizeMax else { throw .file(.fileTooLarge) }
        return record
    }
}
