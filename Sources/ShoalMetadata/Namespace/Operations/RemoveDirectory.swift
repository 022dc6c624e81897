import ShoalTypes
import ShoalWire

/// rmdir(2). The directory's inode goes at once, also if somebody has it open.
///
/// Errors: `.notFound`, `.notDirectory`, `.notEmpty`, `.notPermitted` (the trash).
package struct RemoveDirectory: NamespaceOperation {
    package let request: NameRequest
    package init(_ request: NameRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let (_, child) = try find(&transaction)
        return [.change(request.parent), .change(child.inode)]
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
        guard dentry.kind == .directory else { throw .file(.notDirectory) }
        let child = try transaction.referenced(dentry.inode)
        guard !transaction.isTrashRoot(child) else { throw .file(.notPermitted) }
        guard child.entryCount == 0 else { throw .file(.notEmpty) }
        return (dentry, child)
    }
}
