import ShoalTypes
import ShoalWire

/// link(2): one more name for a file.
///
/// Errors: `.notFound` (no such directory or file, or one without a name), `.notDirectory`, `.notPermitted` (a
/// directory), `.exists`, `.tooManyLinks`, `.crossDevice` (the directory is in another quota tree).
package struct MakeLink: NamespaceOperation {
    package let request: LinkRequest
    package init(_ request: LinkRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        try check(&transaction)
        return [.changeNames(request.parent, [request.name]), .change(request.inode)]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        try check(&transaction)
        var parent = try transaction.directory(request.parent)
        var record = try transaction.existing(request.inode)
        try transaction.moveQuota(of: &record, to: parent)
        record.attributes.linkCount += 1
        record.attributes.changeTime = context.now
        transaction.update(record)
        transaction.setDentry(request.parent, request.name, to: record, cookie: transaction.allocateCookie())
        parent.gainedName(of: record, at: context.now)
        transaction.update(parent)
        return EntryReply(attributes: record.attributes, grant: .none, parent: parent.attributes)
    }

    private func check(_ transaction: inout NamespaceTransaction) throws(MetadataError) {
        let parent = try transaction.directory(request.parent)
        let record = try transaction.existing(request.inode)
        guard !record.isDirectory else { throw .file(.notPermitted) }
        guard record.attributes.linkCount > 0 else { throw .file(.notFound) }
        guard try transaction.dentry(request.parent, request.name) == nil else { throw .file(.exists) }
        guard record.attributes.linkCount < Geometry.linkCountMax else { throw .file(.tooManyLinks) }
        try transaction.checkQuotaLink(of: record, to: parent)
    }
}
