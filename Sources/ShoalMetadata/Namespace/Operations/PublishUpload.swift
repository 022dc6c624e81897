import ShoalTypes
import ShoalWire

/// Phase two of an upload: in one commit the name refers to the new content. An existing regular file keeps its inode,
/// mode and owner, and its old content is queued for reclaim.
///
/// Errors: `.notFound` (no such upload of this session, or no such directory), `.notDirectory`, `.isDirectory`,
/// `.exists` (the name is neither a file nor a directory), `.invalidArgument` (longer than was prepared).
package struct PublishUpload: NamespaceOperation {
    package let request: PublishUploadRequest
    package init(_ request: PublishUploadRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try upload(transaction, of: request.caller.session)
        _ = try transaction.directory(request.parent)
        guard let record = try existingFile(transaction) else { return [.changeNames(request.parent, [request.name])] }
        return [.change(record.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        let upload = try upload(transaction, of: context.session)
        var parent = try transaction.directory(request.parent)
        let existing = try existingFile(transaction)
        transaction.delete(Keys.upload(context.session, request.data))
        guard var record = existing else {
            var record = InodeRecord(fresh(in: parent, upload, transaction, context))
            record.quota = transaction.quotaTree(ofEntriesOf: parent)
            try transaction.inherit(from: parent, umask: 0, to: &record)
            transaction.insert(record)
            transaction.setDentry(request.parent, request.name, to: record, cookie: transaction.allocateCookie())
            parent.gainedName(of: record, at: context.now)
            transaction.update(parent)
            return EntryReply(attributes: record.attributes, grant: .none, parent: parent.attributes)
        }
        try transaction.setExtendedAttribute(.capability, of: &record, to: nil)
        transaction.reclaim(record.attributes)
        fill(&record.attributes, upload)
        record.touched(at: context.now)
        transaction.update(record)
        return EntryReply(attributes: record.attributes, grant: .none, parent: parent.attributes)
    }

    private func upload(
        _ transaction: borrowing NamespaceTransaction, of session: SessionID
    ) throws(MetadataError) -> UploadRecord {
        guard let upload = try transaction.record(UploadRecord.self, Keys.upload(session, request.data)) else {
            throw .file(.notFound)
        }
        guard request.size <= upload.size else { throw .file(.invalidArgument) }
        return upload
    }

    private func existingFile(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> InodeRecord? {
        guard let dentry = try transaction.dentry(request.parent, request.name) else { return nil }
        guard dentry.kind != .directory else { throw .file(.isDirectory) }
        guard dentry.kind == .regular else { throw .file(.exists) }
        return try transaction.referenced(dentry.inode)
    }

    private func fresh(
        in parent: InodeRecord, _ upload: UploadRecord, _ transaction: borrowing NamespaceTransaction,
        _ context: OperationContext
    ) -> FileAttributes {
        let inheritsGroup = parent.attributes.mode & 0o2000 != 0
        var attributes = FileAttributes(
            inode: transaction.allocateInode(), mode: FileKind.regular.rawValue | request.mode & 0o7777,
            uid: request.uid, gid: inheritsGroup ? parent.attributes.gid : request.gid, accessTime: context.now,
            modifyTime: context.now, changeTime: context.now)
        fill(&attributes, upload)
        return attributes
    }

    private func fill(_ attributes: inout FileAttributes, _ upload: UploadRecord) {
        attributes.data = request.data
        attributes.chunkBytesLog2 = upload.chunkBytesLog2
        attributes.size = request.size
        attributes.allocatedBytes = attributes.denseBytes
        // What was prepared may have been sent; the next writer cuts it.
        attributes.reservedSize = upload.size
    }
}
