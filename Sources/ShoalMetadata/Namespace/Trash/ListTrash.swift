import ShoalTypes
import ShoalWire

/// What is in the trash, the oldest first; what is due to go is not shown, and neither is what was taken out or moved.
package struct ListTrash: NamespaceOperation {
    package let request: ListTrashRequest
    package init(_ request: ListTrashRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] { [] }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> ListTrashReply {
        var reply = ListTrashReply()
        reply.isOn = transaction.trash.isOn
        reply.keepSeconds = transaction.trash.keepSeconds
        let due = TrashPlace(milliseconds: transaction.trash.dueUpTo(context.now), inode: InodeID(.max - 1))
        let after =
            (request.after.milliseconds, request.after.inode) < (due.milliseconds, due.inode) ? due : request.after
        let page = try transaction.trashEntries(after: after, limit: ListTrashReply.itemsMax)
        for (place, entry) in page {
            guard let record = try transaction.kept(place, entry) else { continue }
            var item = TrashItem()
            item.place = place
            item.directory = entry.directory
            item.name = entry.name
            item.formerParent = entry.formerParent
            item.formerName = entry.formerName
            item.size = record.attributes.size
            reply.items.append(item)
        }
        if page.count == ListTrashReply.itemsMax { reply.next = page.last?.place }
        return reply
    }
}
