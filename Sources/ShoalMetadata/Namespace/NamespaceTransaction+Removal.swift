import ShoalTypes
import ShoalWire

extension InodeRecord {
    /// This is its last name, and what happens to the inode depends on who has it open. Not only files: a symlink or
    /// FIFO that is replaced stays for the call that has just found it.
    var losesContentWithName: Bool { !isDirectory && attributes.linkCount == 1 }
}

extension NamespaceTransaction {
    /// The inode has lost one name (its dentry and its directory are the caller's); a directory has only one. With the
    /// trash on, a file that would go takes a name there.
    mutating func dropName(
        of record: inout InodeRecord, _ parent: InodeID, _ name: FileName, _ context: OperationContext,
        _ reply: inout RemovalReply
    ) throws(MetadataError) {
        if let trash = try trashDirectory(for: record, in: parent),
            try keepInTrash(&record, trash, parent, name, context.now)
        {
            reply.removed = record.attributes
            reply.trash = trash.inode
            return
        }
        try removeName(of: &record, context, &reply)
    }

    /// As `dropName`, past the trash.
    mutating func removeName(
        of record: inout InodeRecord, _ context: OperationContext, _ reply: inout RemovalReply
    ) throws(MetadataError) {
        let isOrphan = record.losesContentWithName && context.inUse.contains(record.inode)
        record.attributes.linkCount = record.isDirectory ? 0 : record.attributes.linkCount - 1
        record.attributes.changeTime = context.now
        if isOrphan {
            update(record)
            put(Keys.orphan(record.inode), OrphanRecord().stored())
        } else if record.attributes.linkCount > 0 {
            update(record)
        } else {
            try delete(record)
            reclaim(record.attributes)
        }
        reply.removed = record.attributes
        reply.isOrphan = isOrphan && context.inUseByRequester.contains(record.inode)
    }
}
