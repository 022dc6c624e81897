import ShoalTypes
import ShoalWire

/// mkdir, mknod, symlink and create. No kind in the mode means a regular file, as in mknod(2). In a directory with the
/// set-group-ID bit the new file takes the directory's group, and a new directory the bit too. A default ACL of the
/// directory gives the new inode its ACLs and takes the umask's place; both are in one batch with the inode.
///
/// Errors: `.notFound` (no such directory, or an empty symlink target), `.notDirectory`, `.exists`, `.invalidArgument`
/// (a target for what is no symlink), `.nameTooLong` (target).
package struct CreateNode: NamespaceOperation {
    package let request: CreateRequest
    package init(_ request: CreateRequest) { self.request = request }
    package var caller: Caller { request.caller }

    package func needs(_ transaction: inout NamespaceTransaction) throws(MetadataError) -> [LeaseNeed] {
        try check(&transaction)
        return [.changeNames(request.parent, [request.name])]
    }

    package func execute(
        _ transaction: inout NamespaceTransaction, _ context: OperationContext
    ) throws(MetadataError) -> EntryReply {
        try check(&transaction)
        var parent = try transaction.directory(request.parent)
        var record = make(in: parent, transaction, context)
        try transaction.inherit(from: parent, umask: request.umask, to: &record)
        transaction.insert(record)
        transaction.setDentry(request.parent, request.name, to: record, cookie: transaction.allocateCookie())
        if kind == .symlink { transaction.put(Keys.symlink(record.inode), SymlinkTarget(request.target).stored()) }
        parent.gainedName(of: record, at: context.now)
        transaction.update(parent)
        return EntryReply(attributes: record.attributes, grant: .none, parent: parent.attributes)
    }

    private var kind: FileKind { FileKind(mode: request.mode) ?? .regular }

    private func check(_ transaction: inout NamespaceTransaction) throws(MetadataError) {
        _ = try transaction.directory(request.parent)
        guard try transaction.dentry(request.parent, request.name) == nil else { throw .file(.exists) }
        guard FileKind(mode: request.mode) != nil || request.mode & FileKind.mask == 0 else {
            throw .file(.invalidArgument)
        }
        if kind == .symlink {
            guard !request.target.isEmpty else { throw .file(.notFound) }
            guard request.target.count <= Geometry.symlinkBytesMax else { throw .file(.nameTooLong) }
        } else {
            guard request.target.isEmpty else { throw .file(.invalidArgument) }
        }
    }

    private func make(
        in parent: InodeRecord, _ transaction: borrowing NamespaceTransaction, _ context: OperationContext
    ) -> InodeRecord {
        let tree = transaction.quotaTree(ofEntriesOf: parent)
        var attributes = FileAttributes(
            inode: transaction.allocateInode(), mode: kind.rawValue | request.mode & 0o7777, uid: request.uid,
            gid: request.gid, accessTime: context.now, modifyTime: context.now, changeTime: context.now)
        if parent.attributes.mode & 0o2000 != 0 {
            attributes.gid = parent.attributes.gid
            if kind == .directory { attributes.mode |= 0o2000 }
        }
        switch kind {
        case .regular:
            attributes.data = transaction.allocateData()
            attributes.chunkBytesLog2 = context.chunkBytesLog2
            // In a quota tree the writer asks for what it needs, as what it is given counts.
            if request.opensForWriting, tree.rawValue == 0 { attributes.reservedSize = attributes.chunkBytes }
        case .directory:
            attributes.linkCount = 2
            attributes.size = InodeRecord.directoryBytes
        case .symlink:
            attributes.mode = kind.rawValue | 0o777
            attributes.size = UInt64(request.target.count)
        case .characterDevice, .blockDevice: attributes.device = request.device
        case .fifo, .socket: break
        }
        var record = InodeRecord(attributes, parent: kind == .directory ? request.parent : InodeID(0))
        record.quota = tree
        return record
    }
}
