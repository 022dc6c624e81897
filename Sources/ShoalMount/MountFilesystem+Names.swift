import ShoalClient
import ShoalFUSE
import ShoalTypes
import ShoalWire

extension MountFilesystem {
    func lookup(_ name: FileName, in parent: InodeID, reply: FuseEntryReply) {
        if searched.count < MountFilesystem.searchedMax { searched.insert(parent) }
        client.lookup(parent, name) { [self] result in
            switch result {
            case .success(let attributes?):
                client.noteShown(attributes.inode)
                client.whenKernelHasForgotten(changeOf: attributes.inode) { [self] in
                    let timeouts = FuseCacheTimeouts(
                        entry: client.kernelLearns(name, in: parent, as: attributes.inode).seconds,
                        attributes: client.kernelLearns(attributes).seconds)
                    if reply.entry(attributes, timeouts: timeouts) { client.kernelLearned(attributes.inode) }
                }
            case .success(nil):
                let validity = client.kernelLearns(name, in: parent, as: nil)
                if validity.nanoseconds > 0 { reply.absent(timeout: validity.seconds) } else { reply.error(.notFound) }
            case .failure(let error): reply.error(error)
            }
        }
    }

    private func make(_ file: Client.NewFile, _ name: FileName, in parent: InodeID, _ reply: FuseEntryReply) {
        client.create(parent, name, file, completion: finish(reply))
    }

    func makeNode(
        _ name: FileName, in parent: InodeID, mode: UInt32, device: UInt32, caller: FuseCaller, reply: FuseEntryReply
    ) {
        var file = Client.NewFile(mode: mode, uid: caller.uid, gid: caller.gid)
        file.umask = caller.umask
        file.device = device
        make(file, name, in: parent, reply)
    }

    func makeDirectory(_ name: FileName, in parent: InodeID, mode: UInt32, caller: FuseCaller, reply: FuseEntryReply) {
        let mode = mode & ~FileKind.mask | FileKind.directory.rawValue
        var directory = Client.NewFile(mode: mode, uid: caller.uid, gid: caller.gid)
        directory.umask = caller.umask
        make(directory, name, in: parent, reply)
    }

    func makeSymlink(
        _ name: FileName, in parent: InodeID, target: [UInt8], caller: FuseCaller, reply: FuseEntryReply
    ) {
        var file = Client.NewFile(mode: FileKind.symlink.rawValue | 0o777, uid: caller.uid, gid: caller.gid)
        file.target = target
        make(file, name, in: parent, reply)
    }

    func makeLink(to inode: InodeID, _ name: FileName, in parent: InodeID, reply: FuseEntryReply) {
        client.link(inode, parent, name, completion: finish(reply))
    }

    func unlink(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply) {
        client.unlink(parent, name, completion: finish(reply))
    }

    func removeDirectory(_ name: FileName, in parent: InodeID, reply: FuseEmptyReply) {
        client.removeDirectory(parent, name, completion: finish(reply))
    }

    func rename(
        _ name: FileName, in parent: InodeID, to newName: FileName, in newParent: InodeID, flags: FuseRenameFlags,
        reply: FuseEmptyReply
    ) {
        let rule: RenameRequest.Rule
        switch flags {
        case []: rule = .replace
        case .noReplace: rule = .noReplace
        case .exchange: rule = .exchange
        default: return reply.error(.invalidArgument)
        }
        client.rename(parent, name, to: newParent, newName, rule, completion: finish(reply))
    }

    func readLink(_ inode: InodeID, reply: FuseLinkTargetReply) {
        client.readLink(inode) { [self] result in
            switch result {
            case .success(let target): reply.target(target)
            case .failure(let error): reply.error(gone(error))
            }
        }
    }
}
