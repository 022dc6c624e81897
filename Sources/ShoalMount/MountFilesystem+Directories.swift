import ShoalClient
import ShoalFUSE
import ShoalTypes
import ShoalWire

extension MountFilesystem {
    func openDirectory(_ inode: InodeID, flags: FuseOpenFlags, reply: FuseOpenReply) {
        let handle = nextHandle()
        let use = flags.keepsAccessTime ? .none : client.listingOpened(inode)
        let options: FuseOpenOptions =
            switch use {
            case .none: []
            case .fresh: .cacheDirectory
            case .kept: [.cacheDirectory, .keepCache]
            }
        if reply.opened(handle, options: options) {
            listings[handle] = Listing(
                keepsAccessTime: flags.keepsAccessTime, isKept: use != .none,
                before: use == .kept ? client.listingBound(inode) : 0)
        } else if use != .none {
            client.listingReleased(inode)
        }
    }

    func readDirectory(
        _ inode: InodeID, handle: FuseFileHandle, after cookie: FuseDirectoryCookie, reply: FuseDirectoryReply
    ) {
        if listings[handle]?.isKept == true, listings[handle]?.before == 0, cookie != .start {
            listings[handle]?.before = client.listingBound(inode)
        }
        let open = listings[handle]
        // The kernel asks once more to be told of the end; names that were made since are not part of the listing.
        let before = open?.bound(after: cookie) ?? 0
        if before != 0, open?.end == cookie {
            reply.finish()
            return
        }
        if open?.isKept == true { client.listingRead(inode) }
        client.readDirectory(
            inode, after: cookie.rawValue, before: before, limit: reply.entriesMax,
            withAttributes: wantsAttributes(inode, after: cookie), keepsAccessTime: open?.keepsAccessTime ?? false
        ) { [self] result in
            switch result {
            case .success(let listing):
                listings[handle]?.before = listing.before
                if before == 0, open?.isKept == true { client.listingBegan(inode, before: listing.before) }
                if before == 0 { listings[handle]?.end = nil }
                reply.addDots(parent: listing.parent)
                let taken = listing.entries.prefix {
                    reply.add($0.name, $0.inode, $0.kind, next: FuseDirectoryCookie($0.cookie))
                }
                if listing.isEnd, taken.count == listing.entries.count, let last = listing.entries.last {
                    listings[handle]?.end = FuseDirectoryCookie(last.cookie)
                }
                reply.finish()
            case .failure(let error): reply.error(error)
            }
        }
    }

    /// Whether the attributes of the entries will be asked for: as Linux guesses for readdirplus.
    private func wantsAttributes(_ inode: InodeID, after cookie: FuseDirectoryCookie) -> Bool {
        searched.remove(inode) != nil || cookie == .start
    }

    static let searchedMax = 1000

    func releaseDirectory(_ inode: InodeID, handle: FuseFileHandle, reply: FuseEmptyReply) {
        if listings.removeValue(forKey: handle)?.isKept == true { client.listingReleased(inode) }
        reply.done()
    }

    func synchronizeDirectory(_ inode: InodeID, handle: FuseFileHandle, dataOnly: Bool, reply: FuseEmptyReply) {
        client.syncMetadata(completion: finish(reply))
    }
}
