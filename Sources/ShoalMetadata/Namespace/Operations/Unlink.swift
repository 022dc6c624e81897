import ShoalTypes
import ShoalWire

/// unlink(2). With its last name a file goes, and its content is queued for reclaim; a regular file that is in use
/// becomes an orphan instead. With the trash on it goes there.
///
/// Errors: `.notFound`, `.notDirectory` (the parent), `.isDirectory` (the name).
package struct Unlink: NamespaceOperation {
    package let request: NameRequest
    package init(_ request: NameRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let (_, child) = try find(&transaction)
        var needs: [LeaseNeed] = [.change(request.parent), .change(child.inode)]
        if child.losesContentWithName {
            needs.append(try transaction.lastNameNeed(of: child, in: request.parent))
        }
        return needs
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> RemovalReply {
        var (dentry, child) = try find(&transaction)
        var parent = try transaction.directory(request.parent)
        transaction.removeDentry(request.parent, request.name, cookie: dentry.cookie)
        parent.lostName(of: child, at: context.now)
        transaction.update(parent)
        var reply = RemovalReply()
        try transaction.dropName(of: &child, request.parent, request.name, context, &reply)
        reply.changed = [parent.attributes]
        return reply
    }

    private func find(
        _ transaction: inout NamespaceTransaction
    ) throws(MetadataError) -> (dentry: Dentry, child: InodeRecord) {
        _ = try transaction.directory(request.parent)
        guard let dentry = try transaction.dentry(request.parent, request.name) else { throw .file(.notFound) }
        guard dentry.kind != .directory else { throw .file(.isDirectory) }
        return (dentry, try transaction.referenced(dentry.inode))
    }
}
