import ShoalTypes
import ShoalWire

/// From now on what is unlinked goes to this hour's directory. Of the server itself, not of a session.
package struct BeginTrashHour: NamespaceOperation {
    package let hour: UInt64
    package init(_ hour: UInt64) { self.hour = hour }
    package var caller: Caller { Caller() }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        var needs: [LeaseNeed] = []
        var names: [FileName] = []
        if let former = try emptyFormer(transaction) {
            needs.append(.change(former.directory.inode))
            names.append(former.name)
        }
        let name = TrashState.name(ofHour: hour)
        if try transaction.dentry(transaction.trash.root, name) == nil { names.append(name) }
        if !names.isEmpty { needs.append(.changeNames(transaction.trash.root, names)) }
        return needs
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> Empty {
        var state = transaction.trash
        if let (directory, name, dentry) = try emptyFormer(transaction) {
            var root = try transaction.directory(state.root)
            transaction.removeDentry(root.inode, name, cookie: dentry.cookie)
            root.lostName(of: directory, at: context.now)
            transaction.update(root)
            try transaction.delete(directory)
        }
        let name = TrashState.name(ofHour: hour)
        state.hour = hour
        if let dentry = try transaction.dentry(state.root, name) {
            // Made by hand and no directory: the trash itself serves.
            state.directory = dentry.kind == .directory ? dentry.inode : InodeID(0)
        } else {
            let root = try transaction.directory(state.root)
            state.directory = transaction.makeTrashDirectory(name, in: root, now: context.now).inode
        }
        transaction.trashChange = state
        return Empty()
    }

    /// The directory of the hour before, if nothing came into it.
    private func emptyFormer(
        _ transaction: borrowing NamespaceTransaction
    ) throws(MetadataError) -> (directory: InodeRecord, name: FileName, dentry: Dentry)? {
        guard transaction.trash.hour != hour else { return nil }
        return try transaction.emptyTrashHour(transaction.trash.hour, transaction.trash.directory, entries: 0)
    }
}
