import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Access times, as relatime (mount(8)): an access counts if the one before it was not after the last change, or is a
/// day old. They are kept here for a moment and sent many at a time; a recall sends them at once. Nobody's lease is
/// recalled for them: another mount may show an older access time until it asks again.
extension Client {
    /// The content was read: read(2), readdir(3), readlink(2).
    package func noteAccess(_ id: InodeID) {
        if let inode = inodes.existing(id) { noteAccess(inode) }
    }

    func noteAccess(_ inode: Inode) {
        guard limits.keepsAccessTimes, mayRead(inode) else { return }
        let now = scheduler.wallClock
        let times = inode.attributes
        guard
            times.accessTime <= times.modifyTime || times.accessTime <= times.changeTime
                || now.seconds - times.accessTime.seconds >= 86_400
        else { return }
        inode.attributes.accessTime = now
        accessTimes[inode.id] = now
        if accessTimes.count >= AccessTimesRequest.entriesMax { return sendAccessTimes() }
        guard accessTimes.count == 1 else { return }
        scheduler.schedule(after: limits.accessTimeDelay) { [weak self] in self?.sendAccessTimes() }
    }

    /// Lost with the session, or the connection for long: access times are worth no more.
    func sendAccessTimes() {
        guard !accessTimes.isEmpty else { return }
        let times = accessTimes.map { AccessTime(inode: $0.key, time: $0.value) }.sorted { $0.inode < $1.inode }
        accessTimes = [:]
        metadata.request(.setAccessTimes, isChange: false, { AccessTimesRequest(caller: $0, times: times) }) {
            [logger] reply in
            if reply.status != .ok { logger.debug("access times were not kept: \(reply.status)") }
        }
    }
}
