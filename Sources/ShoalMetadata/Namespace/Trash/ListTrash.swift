import ShoalTypes
import ShoalWire

/// What is in the trash, the oldest first; what is due to go is not shown, and neither is what was taken out or moved.
package struct ListTrash: NamespaceOperation {
    package let request: ListTrashRequest
    package init(_ request: ListTrashRequest) { self.request = request }
    package var caller: Caller { request.caller }

    /// A file that was removed just now may have a writer that has not said how long it is.
    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        var needs: [LeaseNeed] = []
        for (place, entry) in try page(transaction) where try transaction.kept(place, entry) != nil {
            needs.append(.observe(place.inode))
        }
        return needs
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> ListTrashReply {
        var reply = ListTrashReply()
        reply.isOn = transaction.trash.isOn
        reply.keepSeconds = transaction.trash.keepSeconds
        let due = transaction.trash.dueUpTo(context.now)
        let page = try page(transaction)
        for (place, entry) in page where place.milliseconds > due {
            guard let record = try transaction.kept(place, entry) else { continue }
            var item = TrashItem()
            item.place = place
            item.directory = entry.directory
            item.name = entry.name
            item.formerParent = entry.formerParent
            item.formerName = entry.formerName
            item.size = context.merged(record.attributes).size
            reply.items.append(item)
        }
        if page.count == ListTrashReply.itemsMax { reply.next = page.last?.place }
        return reply
    }

    private func page(
        _ transaction: borrowing NamespaceTransaction
    ) throws(MetadataError) -> [(place: TrashPlace, entry: TrashEntry)] {
        try transaction.trashEntries(after: request.after, limit: ListTrashReply.itemsMax)
    }
}
