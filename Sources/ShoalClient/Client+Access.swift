import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Access times, as relatime (mount(8)): an access counts if the one before it was not after the last change, or is a
/// day old. They are kept here for a moment and sent many at a time; a recall sends them at once. Nobody's lease is
/// recalled for them: another mount may show an older access time until it asks again.
extension Client {
    /// A directory or a symlink was read (readdir(3), readlink(2)), without a need for its lease.
    package func noteAccess(_ id: InodeID) {
        guard limits.keepsAccessTimes else { return }
        if let inode = inodes.existing(id), mayRead(inode) { return noteAccess(inode) }
        // What is known may be old: the server says whether it counts, before it answers what we ask it next.
        accessTimes[id] = accessTimes[id] ?? AccessTime(inode: id, time: scheduler.wallClock, previous: nil)
        sendAccessTimes()
    }

    /// The content was read, under a lease; whoever holds the inode up waits until that is over.
    func noteAccess(_ inode: Inode) {
        guard limits.keepsAccessTimes, inode.grant.mode >= .part else { return }
        let now = scheduler.wallClock
        guard inode.attributes.accessCounts(at: now) else { return }
        if accessTimesToCommit.contains(inode.id) {
            // Goes with the commit that the time which was set by hand waits for: what the server has until then is not told.
            dropChanged(inode)
            inode.attributes.accessTime = now
            inode.needsCommit = true
            return startWriteBehind(of: inode)
        }
        let previous = accessTimes[inode.id]?.previous ?? inode.attributes.accessTime
        accessTimes[inode.id] = AccessTime(inode: inode.id, time: now, previous: previous)
        dropChanged(inode)
        inode.attributes.accessTime = now
        if accessTimes.count >= AccessTimesRequest.entriesMax { return sendAccessTimes() }
        guard accessTimes.count == 1 else { return }
        scheduler.schedule(after: limits.accessTimeDelay) { [weak self] in self?.sendAccessTimes() }
    }

    /// The access time to show where the server says `time`: it need not know yet what was noted here.
    func accessTime(of id: InodeID, onServer time: Timestamp) -> Timestamp {
        [accessTimesInFlight[id], accessTimes[id]].reduce(time) { time, noted in
            noted.map { $0.previous == time ? $0.time : time } ?? time
        }
    }

    /// The access time is set by hand.
    func forgetAccess(_ id: InodeID) {
        accessTimes[id] = nil
        accessTimesInFlight[id] = nil
    }

    /// Lost with the session, or the connection for long: access times are worth no more.
    func sendAccessTimes() {
        guard !accessTimes.isEmpty else { return }
        let times = accessTimes.values.sorted { $0.inode < $1.inode }
        accessTimes = [:]
        for time in times { accessTimesInFlight[time.inode] = time }
        metadata.request(.setAccessTimes, isChange: false, { AccessTimesRequest(caller: $0, times: times) }) {
            [self] reply in
            for time in times where accessTimesInFlight[time.inode] == time { accessTimesInFlight[time.inode] = nil }
            if reply.status != .ok { logger.debug("access times were not kept: \(reply.status)") }
        }
    }
}
