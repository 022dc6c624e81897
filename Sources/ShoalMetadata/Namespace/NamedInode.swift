import ShoalTypes
import ShoalWire

/// A name in a directory, and what it refers to.
struct NamedInode {
    let parent: InodeID
    let name: FileName
    let dentry: Dentry
    let child: InodeRecord
}

extension NamespaceTransaction {
    /// - Throws: `.notFound`; `.notDirectory` if `parent` is none.
    func named(_ parent: InodeID, _ name: FileName) throws(MetadataError) -> NamedInode {
        _ = try directory(parent)
        guard let dentry = try dentry(parent, name) else { throw .file(.notFound) }
        return NamedInode(parent: parent, name: name, dentry: dentry, child: try referenced(dentry.inode))
    }

    /// Takes the name away; with its last name the inode goes too (`dropName`).
    mutating func remove(_ named: NamedInode, _ context: OperationContext) throws(MetadataError) -> RemovalReply {
        var parent = try directory(named.parent)
        removeDentry(named.parent, named.name, cookie: named.dentry.cookie)
        parent.lostName(of: named.child, at: context.now)
        update(parent)
        var child = named.child
        var reply = RemovalReply()
        try dropName(of: &child, named.parent, named.name, context, &reply)
        reply.changed = [parent.attributes]
        if reply.trash.rawValue != 0 { reply.changed.append(try directory(reply.trash).attributes) }
        return reply
    }
}
