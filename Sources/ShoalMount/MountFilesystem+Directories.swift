import ShoalClient
import ShoalFUSE
import ShoalTypes
import ShoalWire

extension MountFilesystem {
    func openDirectory(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        let handle = nextHandle()
        if reply.opened(handle) { listings[handle] = Listing(keepsAccessTime: flags.keepsAccessTime) }
    }

    func readDirectory(
        _ inode: InodeID, handle: FuseFileHandle, after cookie: FuseDirectoryCookie, reply: FuseDirectoryReply
    ) {
        let open = listings[handle]
        // The kernel asks once more to be told of the end; names that were made since are not part of the listing.
        let before = open?.bound(after: cookie) ?? 0
        if before != 0, open?.end == cookie {
            reply.finish()
            return
        }
        client.readDirectory(
            inode, after: cookie.rawValue, before: before, limit: reply.entriesMax,
            withAttributes: reply.wantsAttributes, keepsAccessTime: open?.keepsAccessTime ?? false
        ) { [self] result in
            switch result {
            case .success(let listing):
                listings[handle]?.before = listing.before
                if before == 0 { listings[handle]?.end = nil }
                reply.addDots(parent: listing.parent)
                var shown: [InodeID] = []
                var taken = 0
                for entry in listing.entries {
                    let next = FuseDirectoryCookie(entry.cookie)
                    let fits: Bool
                    if let attributes = entry.attributes {
                        // Not to be kept: the kernel takes entries in one by one, and a program can hold that up for
                        // as long as it likes.
                        fits = reply.add(entry.name, attributes, next: next)
                        if fits, reply.wantsAttributes { shown.append(attributes.inode) }
                    } else {
                        fits = reply.add(entry.name, entry.inode, entry.kind, next: next)
                    }
                    guard fits else { break }
                    taken += 1
                }
                if listing.isEnd, taken == listing.entries.count, let last = listing.entries.last {
                    listings[handle]?.end = FuseDirectoryCookie(last.cookie)
                }
                if reply.finish() { for inode in shown { kernelInodes.noteLookup(inode) } }
            case .failure(let error): reply.error(error)
            }
        }
    }

    func releaseDirectory(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply) {
        listings[handle] = nil
        reply.done()
    }

    func synchronizeDirectory(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        client.syncMetadata(completion: finish(reply))
    }
}
