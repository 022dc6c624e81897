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
        let child = try find(&transaction).child
        return [.changeNames(request.parent, [request.name]), .change(child.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> RemovalReply {
        try transaction.remove(find(&transaction), context)
    }

    private func find(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> NamedInode {
        let named = try transaction.named(request.parent, request.name)
        guard named.dentry.kind == .directory else { throw .file(.notDirectory) }
        guard !transaction.isTrashRoot(named.child) else { throw .file(.notPermitted) }
        guard named.child.entryCount == 0 else { throw .file(.notEmpty) }
        return named
    }
}
