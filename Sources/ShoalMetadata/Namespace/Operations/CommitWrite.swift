import ShoalTypes
import ShoalWire

/// Size, times and reservation as the holder of the write lease gives them; the nodes hold the bytes already. That the
/// lease is held is the coordinator's check. The first reservation after a truncation to 0 gives the file its new data
/// ID. What is reserved counts in the file's quota tree, so a writer that has its reservation can write what it has
/// buffered.
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
        record.attributes.reservedSize = grantedSize(record, transaction)
        record.attributes.allocatedBytes = request.allocatedBytes
        record.attributes.modifyTime = request.modifyTime
        record.attributes.changeTime = request.changeTime
        if let accessTime = request.accessTime { record.attributes.accessTime = accessTime }
        transaction.update(record)
        return EntryReply(attributes: record.attributes, grant: .none)
    }

    /// In a quota tree no more than a small part of what is left is given ahead of need, as others would be refused for
    /// it.
    private func grantedSize(_ record: InodeRecord, _ transaction: borrowing NamespaceTransaction) -> UInt64 {
        guard record.quota.rawValue != 0 else { return request.reservedSize }
        let needed = max(request.size, min(request.neededSize, request.reservedSize))
        let more = needed - min(needed, record.quotaAmount.bytes)
        let room = transaction.quotaRoom(in: record.quota).bytes
        let ahead = min((room - min(room, more)) / 64, Self.quotaAheadBytesMax)
        return min(request.reservedSize, needed + ahead)
    }

    private static let quotaAheadBytesMax: UInt64 = 16 << 20

    private func find(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> InodeRecord {
        let record = try transaction.existing(request.inode)
        guard record.attributes.kind == .regular, request.size <= request.reservedSize else {
            throw .file(.invalidArgument)
        }
        guard request.reservedSize <= record.attributes.sizeMax else { throw .file(.fileTooLarge) }
        return record
    }
}
