import ShoalTypes
import ShoalWire

/// unlink(2). With its last name a file goes, and its content is queued for reclaim; one that is in use
/// becomes an orphan instead. With the trash on a regular file goes there.
///
/// Errors: `.notFound`, `.notDirectory` (the parent), `.isDirectory` (the name).
package struct Unlink: NamespaceOperation {
    package let request: NameRequest
    package init(_ request: NameRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let child = try find(&transaction).child
        var needs: [LeaseNeed] = [.changeNames(request.parent, [request.name]), .change(child.inode)]
        if child.losesContentWithName { needs += try transaction.lastNameNeeds(of: child, in: request.parent) }
        return needs
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> RemovalReply {
        try transaction.remove(find(&transaction), context)
    }

    private func find(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> NamedInode {
        let named = try transaction.named(request.parent, request.name)
        guard named.dentry.kind != .directory else { throw .file(.isDirectory) }
        return named
    }
}
