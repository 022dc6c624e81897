import ShoalTypes

/// What is known of a directory's listing that the kernel keeps in pages (`FOPEN_CACHE_DIR`).
///
/// Every open directory adds what it reads to the same pages, an answer that was on its way when they were dropped too. So
/// while some may be adding what was true before another mount changed a name, no other adds to them.
struct KernelListing {
    /// `Inode.generation` when those began whose answers are in the pages.
    private var generation: UInt32?
    /// Directories opened to add to the pages, and not closed.
    private(set) var openCount = 0
    /// `ReadDirectoryReply.before` of the listing that is in the pages; 0 if that has not begun.
    var before: UInt64 = 0

    /// - Parameter current: `Inode.generation`.
    mutating func opened(at current: UInt32) -> Client.PageUse {
        guard generation != current else {
            openCount += 1
            return .kept
        }
        guard openCount == 0 else { return .none }
        generation = current
        openCount = 1
        before = 0
        return .fresh
    }

    mutating func released() { openCount = max(0, openCount - 1) }
}

extension Client {
    /// A directory is opened: how the kernel may use its pages of the listing. If at all, `listingReleased` follows.
    ///
    /// Names that others change take them with the lease, and the kernel compares the modify time, which it is shown under the
    /// same lease, whenever a listing begins; it knows of changes by this mount, but for those in the trash.
    package func listingOpened(_ id: InodeID) -> PageUse {
        guard dropKernelPages != nil, let directory = inodes.existing(id), mayRead(directory),
            directory.pages.state == .kept, !directory.pages.isUnclean, !trashDirectories.contains(id)
        else { return .none }
        let use = directory.kernelListing.opened(at: directory.generation)
        if use != .none { listingRead(id) }
        // A listing that the kernel has does not count as an access.
        return use == .kept && isAccessDue(directory) ? .fresh : use
    }

    /// What is answered to a directory that was opened so may be added to the pages.
    package func listingRead(_ id: InodeID) {
        inodes.existing(id)?.pages.noteServed(RangeSet(0..<Geometry.fileBytesMax))
    }

    /// One that fills the pages has begun: names from `before` on are not part of it.
    package func listingBegan(_ id: InodeID, before: UInt64) { inodes.existing(id)?.kernelListing.before = before }

    /// Of who has had the first names from the pages, and goes on here since those were dropped.
    package func listingBound(_ id: InodeID) -> UInt64 { inodes.existing(id)?.kernelListing.before ?? 0 }

    package func listingReleased(_ id: InodeID) { inodes.existing(id)?.kernelListing.released() }
}
