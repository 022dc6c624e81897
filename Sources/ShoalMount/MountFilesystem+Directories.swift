import ShoalClient
import ShoalFUSE
import ShoalTypes
import ShoalWire

extension MountFilesystem {
    func openDirectory(_ inode: InodeID, reply: FuseOpenReply) {
        reply.opened(handle(of: inode))
    }

    func readDirectory(
        _ inode: InodeID, handle: FuseFileHandle, after cookie: FuseDirectoryCookie, reply: FuseDirectoryReply
    ) {
        client.readDirectory(
            inode, after: cookie.rawValue, limit: reply.entriesMax, withAttributes: reply.wantsAttributes
        ) { result in
            switch result {
            case .success(let listing):
                reply.addDots(parent: listing.parent)
                for entry in listing.entries {
                    let next = FuseDirectoryCookie(entry.cookie)
                    let fits: Bool
                    if let attributes = entry.attributes {
                        fits = reply.add(entry.name, attributes, next: next)
                    } else {
                        fits = reply.add(entry.name, entry.inode, entry.kind, next: next)
                    }
                    guard fits else { break }
                }
                reply.finish()
            case .failure(let error): reply.error(error)
            }
        }
    }

    func releaseDirectory(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply) { reply.done() }

    func synchronizeDirectory(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        client.syncMetadata(completion: finish(reply))
    }
}
