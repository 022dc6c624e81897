import ShoalTypes
import ShoalWire

/// What a name in a directory refers to, with the attributes of both. An absent name is an answer, not an error.
///
/// Errors: `.notFound` (no such directory), `.notDirectory`.
package struct Lookup: NamespaceOperation {
    package let request: NameRequest
    package init(_ request: NameRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        _ = try transaction.directory(request.parent)
        guard let dentry = try transaction.dentry(request.parent, request.name) else { return [] }
        return [.observe(dentry.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> LookupReply {
        let parent = try transaction.directory(request.parent)
        guard let dentry = try transaction.dentry(request.parent, request.name) else {
            return LookupReply(found: nil, parentGrant: .none)
        }
        let child = try transaction.referenced(dentry.inode)
        let found = EntryReply(
            attributes: context.merged(child.attributes), grant: .none, parent: parent.attributes)
        return LookupReply(found: found, parentGrant: .none)
    }
}
