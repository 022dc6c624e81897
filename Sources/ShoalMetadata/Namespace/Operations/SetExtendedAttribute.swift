import ShoalTypes
import ShoalWire

/// setxattr(2). An access ACL also sets the permissions, and is not stored where they say all of it. A value that is
/// there already changes nothing, not even the change time, as on ext4.
///
/// Errors: `.notFound` (no such inode), `.exists` and `.noData` (the rule), `.noSpace` (more than an inode may have); of
/// an ACL `.invalidArgument`, `.notSupported` (its version), `.tooBig`, `.accessDenied` (a default one for no
/// directory).
package struct SetExtendedAttribute: NamespaceOperation {
    package let request: SetExtendedAttributeRequest
    package init(_ request: SetExtendedAttributeRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let record = try transaction.existing(request.inode)
        try check(record, transaction)
        let list = try list(for: record)
        _ = try transaction.summary(of: record, setting: request.name, to: stored(list))
        return try isNothing(record, list, transaction) ? [] : [.change(request.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        var record = try transaction.existing(request.inode)
        try check(record, transaction)
        let list = try list(for: record)
        if try isNothing(record, list, transaction) {
            return EntryReply(attributes: record.attributes, grant: .none)
        }
        try transaction.setExtendedAttribute(request.name, of: &record, to: stored(list))
        record.attributes.mode = mode(of: record, list)
        record.attributes.changeTime = context.now
        transaction.update(record)
        return EntryReply(attributes: record.attributes, grant: .none)
    }

    private func check(
        _ record: InodeRecord, _ transaction: borrowing NamespaceTransaction
    ) throws(MetadataError) {
        guard !request.rule.isDisjoint(with: [.create, .replace]) else { return }
        let isPresent = try transaction.extendedAttribute(request.name, of: record) != nil
        if request.rule.contains(.create), isPresent { throw .file(.exists) }
        if request.rule.contains(.replace), !isPresent { throw .file(.noData) }
    }

    /// The value as an ACL, if it is to be one.
    private func list(for record: InodeRecord) throws(MetadataError) -> AccessControlList? {
        guard request.name.isAccessControlList else { return nil }
        guard record.attributes.kind != .symlink else { throw .file(.notSupported) }
        guard request.name == .accessList || record.isDirectory else { throw .file(.accessDenied) }
        do { return try AccessControlList(request.value) } catch { throw .file(error) }
    }

    private func mode(of record: InodeRecord, _ list: AccessControlList?) -> UInt32 {
        guard let list, request.name == .accessList else { return record.attributes.mode }
        let mode = record.attributes.mode & ~0o777 | list.permissions
        return request.rule.contains(.clearsSetGroupID) ? mode & ~0o2000 : mode
    }

    private func isNothing(
        _ record: InodeRecord, _ list: AccessControlList?, _ transaction: borrowing NamespaceTransaction
    ) throws(MetadataError) -> Bool {
        let current = try transaction.extendedAttribute(request.name, of: record)
        return current == stored(list) && mode(of: record, list) == record.attributes.mode
    }

    private func stored(_ list: AccessControlList?) -> [UInt8]? {
        guard let list else { return request.value }
        return request.name == .accessList && list.isMinimal ? nil : list.encoded
    }
}
