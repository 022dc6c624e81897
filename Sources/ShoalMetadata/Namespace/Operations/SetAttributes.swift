import ShoalTypes
import ShoalWire

/// chmod, chown, truncate and utimens in one: what `request.change` names, and always the change time.
///
/// - A change of owner or group takes the set-user-ID bit, and the set-group-ID bit of a group-executable file, from
///   anything but a directory, unless the same request sets the permissions (chown(2); the kernel then did it).
/// - The permissions are written into the access ACL, if there is one (acl(5)). A change of owner or group, and a size,
///   take the file's capabilities (capabilities(7)).
/// - A size leaves those bits alone: whether truncate(2) clears them depends on the caller's CAP_FSETID, which only the
///   mount knows; its kernel sends the permissions along.
/// - A size sets the modify time to now unless the request gives one. The caller has cut the chunks on the nodes; the
///   reservation stays, since the caller may go on writing below it, but not in a quota tree, where it counts. Size 0
///   drops the content as a whole instead: no data ID and no reservation until `CommitWrite` makes one.
///
/// Errors: `.notFound`; for a size `.isDirectory`, `.invalidArgument` (no regular file), `.fileTooLarge`.
package struct SetAttributes: NamespaceOperation {
    package let request: SetAttributesRequest
    package init(_ request: SetAttributesRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        try check(try transaction.existing(request.inode))
        return [.change(request.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        var record = try transaction.existing(request.inode)
        try check(record)
        let change = request.change
        // As the set-ID bits: a directory's mean something else, and stay.
        if !record.isDirectory, change.uid != nil || change.gid != nil || change.size != nil {
            try transaction.setExtendedAttribute(.capability, of: &record, to: nil)
        }
        if let permissions = change.permissions {
            if let list = try transaction.accessControlList(.accessList, of: record) {
                let changed = list.changing(permissions: permissions)
                try transaction.setExtendedAttribute(.accessList, of: &record, to: changed.encoded)
            }
            record.attributes.mode = record.attributes.mode & FileKind.mask | permissions & 0o7777
        } else if change.uid != nil || change.gid != nil {
            let permissions = record.attributes.permissionsWithoutSetID ?? record.attributes.permissions
            record.attributes.mode = record.attributes.mode & FileKind.mask | permissions
        }
        if let uid = change.uid { record.attributes.uid = uid }
        if let gid = change.gid { record.attributes.gid = gid }
        if let size = change.size {
            resize(&record.attributes, to: size, &transaction)
            let allocated = change.allocatedBytes ?? record.attributes.allocatedBytes
            record.attributes.allocatedBytes = size == 0 ? 0 : allocated
            if record.quota.rawValue != 0 { record.attributes.reservedSize = size }
            record.attributes.modifyTime = context.now
        }
        if let accessTime = change.accessTime { record.attributes.accessTime = accessTime }
        if let modifyTime = change.modifyTime { record.attributes.modifyTime = modifyTime }
        record.attributes.changeTime = context.now
        transaction.update(record)
        return EntryReply(attributes: record.attributes, grant: .none)
    }

    private func check(_ record: InodeRecord) throws(MetadataError) {
        guard let size = request.change.size else { return }
        guard !record.isDirectory else { throw .file(.isDirectory) }
        guard record.attributes.kind == .regular else { throw .file(.invalidArgument) }
        guard size <= record.attributes.sizeMax else { throw .file(.fileTooLarge) }
    }

    private func resize(
        _ attributes: inout FileAttributes, to size: UInt64, _ transaction: inout NamespaceTransaction
    ) {
        if size == 0 {
            if attributes.chunkCountMax > 0 {
                transaction.reclaim(attributes)
                attributes.data = .none
            }
            attributes.reservedSize = 0
        }
        attributes.size = size
        attributes.reservedSize = max(attributes.reservedSize, size)
    }
}
