import ShoalTypes

extension NamespaceTransaction {
    /// What a new inode has of the directory that it is made in: with a default ACL the new one's ACLs, and permissions
    /// within them; without, permissions less the umask (acl(5), "object creation and default ACLs").
    /// `record` is new, and is the caller's to write.
    mutating func inherit(
        from parent: InodeRecord, umask: UInt32, to record: inout InodeRecord
    ) throws(MetadataError) {
        guard record.attributes.kind != .symlink else { return }
        guard let list = try accessControlList(.defaultList, of: parent) else {
            record.attributes.mode &= ~(umask & 0o777)
            return
        }
        let access = list.inherited(permissions: record.attributes.mode & 0o777)
        record.attributes.mode = record.attributes.mode & ~0o777 | access.permissions
        if !access.isMinimal { try setExtendedAttribute(.accessList, of: &record, to: access.encoded) }
        if record.isDirectory { try setExtendedAttribute(.defaultList, of: &record, to: list.encoded) }
    }
}
