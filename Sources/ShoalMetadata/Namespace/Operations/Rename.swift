import ShoalTypes
import ShoalWire

/// rename(2) and renameat2(2) with RENAME_NOREPLACE and RENAME_EXCHANGE. What is replaced is treated as by `Unlink` or
/// `RemoveDirectory`. Two names of one inode: nothing happens.
///
/// Errors: `.notFound`, `.notDirectory`, `.isDirectory`, `.notEmpty`, `.exists` (no replace), `.invalidArgument` (a
/// directory into itself or below), `.crossDevice` (a directory that has entries, or a file with several names, into
/// another quota tree), `.notPermitted` (the trash).
package struct Rename: NamespaceOperation {
    package let request: RenameRequest
    package init(_ request: RenameRequest) { self.request = request }
    package var caller: Caller { request.caller }

    /// What the two names refer to before the rename.
    private struct Names {
        var source: Dentry
        var target: Dentry?
        var moved: InodeRecord
        var replaced: InodeRecord?
        /// Both names refer to one inode already.
        var isNothing: Bool { target?.inode == source.inode }
    }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        let names = try find(transaction)
        if names.isNothing { return [] }
        var needs: [LeaseNeed]
        if request.newParent == request.parent {
            needs = [.changeNames(request.parent, [request.name, request.newName])]
        } else {
            needs = [
                .changeNames(request.parent, [request.name]), .changeNames(request.newParent, [request.newName]),
            ]
        }
        needs.append(.change(names.moved.inode))
        if let replaced = names.replaced {
            needs.append(.change(replaced.inode))
            if request.rule == .replace, replaced.losesContentWithName {
                needs += try transaction.lastNameNeeds(of: replaced, in: request.newParent)
            }
        }
        return needs
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> RemovalReply {
        let names = try find(transaction)
        var reply = RemovalReply()
        reply.moved = names.moved.inode
        if names.isNothing { return reply }
        if request.rule == .exchange, let target = names.target, let other = names.replaced {
            try place(names.moved, request.newParent, request.newName, cookie: target.cookie, &transaction, context)
            try place(other, request.parent, request.name, cookie: names.source.cookie, &transaction, context)
            try exchangeCounts(names.moved, other, &transaction, context)
            reply.changed = try changed(names.moved, other.inode, transaction)
            return reply
        }
        try leave(names, &transaction, context, &reply)
        let cookie: UInt64
        if let target = names.target {
            cookie = target.cookie
        } else if request.parent == request.newParent {
            cookie = names.source.cookie
        } else {
            cookie = transaction.allocateCookie()
        }
        try place(names.moved, request.newParent, request.newName, cookie: cookie, &transaction, context)
        var newParent = try transaction.directory(request.newParent)
        newParent.gainedName(of: names.moved, at: context.now)
        transaction.update(newParent)
        reply.changed = try changed(names.moved, reply.trash, transaction)
        return reply
    }

    /// What the reply says of the directories and of what has a new name, as they are now; `other` is 0 if there is none.
    private func changed(
        _ moved: InodeRecord, _ other: InodeID, _ transaction: borrowing NamespaceTransaction
    ) throws(MetadataError) -> [FileAttributes] {
        var inodes = [request.parent]
        for inode in [request.newParent, moved.inode, other] where inode.rawValue != 0 && !inodes.contains(inode) {
            inodes.append(inode)
        }
        var changed: [FileAttributes] = []
        for inode in inodes { changed.append(try transaction.referenced(inode).attributes) }
        return changed
    }

    /// Looks the names up and refuses what rename(2) refuses.
    private func find(_ transaction: borrowing NamespaceTransaction) throws(MetadataError) -> Names {
        _ = try transaction.directory(request.parent)
        _ = try transaction.directory(request.newParent)
        guard let source = try transaction.dentry(request.parent, request.name) else { throw .file(.notFound) }
        let target = try transaction.dentry(request.newParent, request.newName)
        if request.rule == .noReplace, target != nil { throw .file(.exists) }
        if request.rule == .exchange, target == nil { throw .file(.notFound) }
        if source.kind == .directory {
            try refuse(request.newParent, isInside: source.inode, transaction)
        }
        if request.rule == .exchange, let target, target.kind == .directory {
            try refuse(request.parent, isInside: target.inode, transaction)
        }
        let moved = try transaction.referenced(source.inode)
        let parent = try transaction.directory(request.parent)
        let newParent = try transaction.directory(request.newParent)
        guard !transaction.isTrashRoot(moved) else { throw .file(.notPermitted) }
        if target?.inode != source.inode {
            try transaction.checkQuotaMove(of: moved, from: parent, to: newParent)
        }
        guard let target else { return Names(source: source, target: nil, moved: moved, replaced: nil) }
        let replaced = try transaction.referenced(target.inode)
        guard !transaction.isTrashRoot(replaced) else { throw .file(.notPermitted) }
        if request.rule == .exchange {
            try transaction.checkQuotaMove(of: replaced, from: newParent, to: parent)
        }
        if request.rule == .replace, target.inode != source.inode {
            if source.kind == .directory, target.kind != .directory { throw .file(.notDirectory) }
            if source.kind != .directory, target.kind == .directory { throw .file(.isDirectory) }
            guard replaced.entryCount == 0 else { throw .file(.notEmpty) }
        }
        return Names(source: source, target: target, moved: moved, replaced: replaced)
    }

    /// - Throws: `.invalidArgument` if `directory` is `ancestor` or below it.
    private func refuse(
        _ directory: InodeID, isInside ancestor: InodeID, _ transaction: borrowing NamespaceTransaction
    ) throws(MetadataError) {
        var current = directory
        while current != .root {
            guard current != ancestor else { throw .file(.invalidArgument) }
            current = try transaction.referenced(current).parent
        }
    }

    /// The old name goes, and what the new one referred to.
    private func leave(
        _ names: Names, _ transaction: inout NamespaceTransaction, _ context: OperationContext,
        _ reply: inout RemovalReply
    ) throws(MetadataError) {
        var parent = try transaction.directory(request.parent)
        transaction.removeDentry(request.parent, request.name, cookie: names.source.cookie)
        parent.lostName(of: names.moved, at: context.now)
        transaction.update(parent)
        guard var replaced = names.replaced else { return }
        var newParent = try transaction.directory(request.newParent)
        newParent.lostName(of: replaced, at: context.now)
        transaction.update(newParent)
        try transaction.dropName(of: &replaced, request.newParent, request.newName, context, &reply)
    }

    /// The inode takes a name: dentry, `..` and change time.
    private func place(
        _ record: InodeRecord, _ parent: InodeID, _ name: FileName, cookie: UInt64,
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) {
        var record = record
        if record.isDirectory { record.parent = parent }
        try transaction.moveQuota(of: &record, to: try transaction.directory(parent))
        record.attributes.changeTime = context.now
        transaction.update(record)
        transaction.setDentry(parent, name, to: record, cookie: cookie)
    }

    /// An exchange leaves the number of names as it is; a directory for a file changes the parents' link counts.
    private func exchangeCounts(
        _ moved: InodeRecord, _ other: InodeRecord, _ transaction: inout NamespaceTransaction,
        _ context: OperationContext
    ) throws(MetadataError) {
        var parent = try transaction.directory(request.parent)
        parent.lostName(of: moved, at: context.now)
        parent.gainedName(of: other, at: context.now)
        transaction.update(parent)
        var newParent = try transaction.directory(request.newParent)
        newParent.lostName(of: other, at: context.now)
        newParent.gainedName(of: moved, at: context.now)
        transaction.update(newParent)
    }
}
