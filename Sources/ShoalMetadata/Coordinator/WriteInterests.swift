import ShoalTypes

/// Which chunks of a file sessions have lately asked to write while others were writing it. Where they are not the same,
/// each is given its own part of the file, instead of the whole in turn (as Lustre's extent locks; Schwan, "Lustre: Building
/// a File System for 1000-node Clusters", OLS 2003).
struct WriteInterests {
    private struct Interest {
        let session: SessionID
        let extent: LeaseExtent
        let askedAt: MonotonicInstant
    }
    private var inodes: [InodeID: [Interest]] = [:]
    /// Files, and sessions of one, that are remembered; past it a file goes as a whole.
    private static let inodesMax = 4096
    private static let sessionsMax = 64
    /// Who has not asked for so long is taken to have finished.
    static let lifetime = Interval.seconds(10)

    func isContended(_ inode: InodeID) -> Bool { inodes[inode] != nil }

    mutating func note(_ extent: LeaseExtent, of inode: InodeID, by session: SessionID, now: MonotonicInstant) {
        guard inodes[inode] != nil || inodes.count < WriteInterests.inodesMax else { return }
        var list = inodes[inode, default: []].filter {
            $0.session != session && now - $0.askedAt <= WriteInterests.lifetime
        }
        guard list.count < WriteInterests.sessionsMax else { return }
        list.append(Interest(session: session, extent: extent, askedAt: now))
        inodes[inode] = list
    }

    func isWriter(_ session: SessionID, of inode: InodeID) -> Bool {
        inodes[inode]?.contains { $0.session == session } ?? false
    }

    /// What others have asked for last, in the order of their asking.
    func others(_ inode: InodeID, besides session: SessionID, now: MonotonicInstant) -> [(SessionID, LeaseExtent)] {
        (inodes[inode] ?? []).filter { $0.session != session && now - $0.askedAt <= WriteInterests.lifetime }.map {
            ($0.session, $0.extent)
        }
    }

    /// Drops the files that nobody has asked for lately.
    mutating func prune(now: MonotonicInstant) {
        guard !inodes.isEmpty else { return }
        inodes = inodes.filter { $0.value.contains { now - $0.askedAt <= WriteInterests.lifetime } }
    }
}
