import ShoalTypes
import ShoalWire

/// Something in the trash is due: it goes for good, with its hour's directory if that is empty now. What was moved or
/// taken out since is left alone. Of the server itself, not of a session.
package struct ExpireTrashEntry: NamespaceOperation {
    package let place: TrashPlace
    package init(_ place: TrashPlace) { self.place = place }
    package var caller: Caller { Caller() }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        guard let entry = try entry(transaction) else { return [] }
        var needs: [LeaseNeed] = []
        let record = try transaction.kept(place, entry)
        if let record {
            needs = [.changeNames(entry.directory, [entry.name]), .change(record.inode)]
            if record.losesContentWithName { needs.append(.lastName(record.inode)) }
        }
        if let empty = try emptyDirectory(entry, transaction, losing: record == nil ? 0 : 1) {
            needs += [.change(entry.directory), .changeNames(transaction.trash.root, [empty.name])]
        }
        return needs
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> RemovalReply {
        var reply = RemovalReply()
        guard let entry = try entry(transaction) else { return reply }
        transaction.delete(Keys.trashEntry(place.milliseconds, place.inode))
        if var record = try transaction.kept(place, entry),
            let dentry = try transaction.dentry(entry.directory, entry.name)
        {
            var directory = try transaction.directory(entry.directory)
            transaction.removeDentry(entry.directory, entry.name, cookie: dentry.cookie)
            directory.lostName(of: record, at: context.now)
            transaction.update(directory)
            try transaction.removeName(of: &record, context, &reply)
        }
        if let (directory, name, dentry) = try emptyDirectory(entry, transaction, losing: 0) {
            var root = try transaction.directory(transaction.trash.root)
            transaction.removeDentry(root.inode, name, cookie: dentry.cookie)
            root.lostName(of: directory, at: context.now)
            transaction.update(root)
            try transaction.delete(directory)
        }
        return reply
    }

    private func entry(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> TrashEntry? {
        try transaction.record(TrashEntry.self, Keys.trashEntry(place.milliseconds, place.inode))
    }

    /// The directory of the entry's hour, if nothing is left in it and the hour is over.
    private func emptyDirectory(
        _ entry: TrashEntry, _ transaction: borrowing NamespaceTransaction, losing names: UInt64
    ) throws(MetadataError) -> (directory: InodeRecord, name: FileName, dentry: Dentry)? {
        guard entry.hour != .max, entry.directory != transaction.trash.directory else { return nil }
        return try transaction.emptyTrashHour(entry.hour, entry.directory, entries: names)
    }
}
