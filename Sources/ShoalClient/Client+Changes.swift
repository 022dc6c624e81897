import ShoalRPC
import ShoalTypes
import ShoalWire

/// Changes of directories. The server decides; this mount's caches follow its replies, in their order.
extension Client {
    /// Who makes a file, and with what (open(2) O_CREAT, mkdir(2), mknod(2), symlink(2)).
    package struct NewFile: Sendable {
        package var mode: UInt32
        /// Permissions that the caller does not give, unless the directory has a default ACL.
        package var umask: UInt32 = 0
        package var uid: UInt32
        package var gid: UInt32
        package var device: UInt32 = 0
        package var target: [UInt8] = []
        /// It is opened for writing at once.
        package var opens = false
        package init(mode: UInt32, uid: UInt32, gid: UInt32) {
            self.mode = mode
            self.uid = uid
            self.gid = gid
        }
    }

    package func create(
        _ parent: InodeID, _ name: FileName, _ file: NewFile, completion: @escaping Completion<FileAttributes>
    ) {
        metadata.request(
            .create, isChange: true,
            { caller in
                var request = CreateRequest()
                request.caller = caller
                request.parent = parent
                request.name = name
                request.mode = file.mode
                request.umask = file.umask
                request.uid = file.uid
                request.gid = file.gid
                request.device = file.device
                request.target = file.target
                request.opensForWriting = file.opens
                return request
            }
        ) { [self] reply in
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                let directory = learnDirectory(parent, entry.parentGrant, entry.parent)
                remember(name, entry.attributes.inode, in: directory)
                let attributes = taught(by: entry)
                let inode = inodes.inode(attributes.inode)
                // Made just now, by this mount: nobody else has written to it, and a directory is empty.
                if !metadata.isAnswerOld {
                    inode.mayHaveForeignUnsynced = false
                    if attributes.kind == .directory, inode.grant.mode >= .read { inode.namesAreComplete = true }
                }
                attributesChanged(inode)
                if file.opens { inode.openCount += 1 }
                completion(.success(attributes))
            case .failure(let status):
                if let directory = inodes.existing(parent) { forget(name, in: directory) }
                completion(.failure(status.fileError))
            }
        }
    }

    package func link(
        _ id: InodeID, _ parent: InodeID, _ name: FileName, completion: @escaping Completion<FileAttributes>
    ) {
        metadata.request(
            .link, isChange: true, { LinkRequest(caller: $0, inode: id, parent: parent, name: name) }
        ) { [self] reply in
            switch reply.decode(EntryReply.self) {
            case .success(let entry):
                let directory = learnDirectory(parent, entry.parentGrant, entry.parent)
                remember(name, id, in: directory)
                completion(.success(taught(by: entry)))
            case .failure(let status):
                if let directory = inodes.existing(parent) { forget(name, in: directory) }
                completion(.failure(status.fileError))
            }
        }
    }
}
