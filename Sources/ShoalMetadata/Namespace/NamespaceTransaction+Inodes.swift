import ShoalKeyValue
import ShoalTypes

extension NamespaceTransaction {
    /// The inode, nil if there is none.
    package func inode(_ inode: InodeID) throws(MetadataError) -> InodeRecord? {
        if let change = inodeChanges.first(where: { $0.inode == inode }) { return change.record }
        return try committed(inode)
    }

    /// The inode as the store has it.
    func committed(_ inode: InodeID) throws(MetadataError) -> InodeRecord? {
        if let cached = namespace.cache.inode(inode) { return cached }
        let bytes: [UInt8]?
        do { bytes = try namespace.store.get(Keys.inode(inode)) } catch { throw .store(error) }
        guard let bytes else { return nil }
        var record = try InodeRecord(stored: bytes)
        record.attributes.inode = inode
        namespace.cache.set(inode, record)
        return record
    }

    /// - Throws: `.notFound` if there is no such inode.
    package func existing(_ inode: InodeID) throws(MetadataError) -> InodeRecord {
        guard let record = try self.inode(inode) else { throw .file(.notFound) }
        return record
    }

    /// - Throws: `.notFound`, `.notDirectory`.
    package func directory(_ inode: InodeID) throws(MetadataError) -> InodeRecord {
        let record = try existing(inode)
        guard record.isDirectory else { throw .file(.notDirectory) }
        return record
    }

    /// The inode that a dentry or an orphan record names.
    /// - Throws: `.corrupt` if it is not there.
    func referenced(_ inode: InodeID) throws(MetadataError) -> InodeRecord {
        guard let record = try self.inode(inode) else { throw .corrupt("inode \(inode) has a name and no record") }
        return record
    }

    /// Writes the inode as it is now.
    mutating func update(_ record: InodeRecord) { set(record.inode, record) }

    mutating func insert(_ record: InodeRecord) {
        set(record.inode, record, isNew: true)
        inodeCountDelta += 1
    }

    /// Deletes the inode's record, its extended attributes, and its target if it is a symlink. Content is not touched.
    mutating func delete(_ record: InodeRecord) throws(MetadataError) {
        if !record.attributes.extendedAttributes.isEmpty {
            let range = Keys.range(.extendedAttribute, record.inode.rawValue)
            try deleteAll(from: range.lower, to: range.upper)
        }
        set(record.inode, nil)
        if record.attributes.kind == .symlink { delete(Keys.symlink(record.inode)) }
        inodeCountDelta -= 1
    }

    private mutating func set(_ inode: InodeID, _ record: InodeRecord?, isNew: Bool = false) {
        precondition(!isCharged || !hasQuotas, "a change after the quota trees were charged")
        if let index = inodeChanges.firstIndex(where: { $0.inode == inode }) {
            inodeChanges[index].record = record
        } else {
            inodeChanges.append(InodeChange(inode: inode, record: record, isNew: isNew))
        }
    }
}
