import ShoalTypes
import ShoalWire

/// Time passes, and what `shoal status` shows.
extension MetadataCore {
    /// Call it every 100 ms or so.
    package func tick(at moment: Moment) {
        advance(to: moment)
        let gap = now - lastTick
        if gap > limits.tickGapMax { forgive(gap) }
        lastTick = now
        tickSessions()
        tickGrace()
        tickRecalls()
        tickNodes()
        tickReclaim()
        tickQuotas()
        tickTrash()
        interests.prune(now: now)
        statistics.tick(now)
        settle()
    }

    /// The server stood still (suspended, or starved): what was sent to it meanwhile has not been read yet.
    private func forgive(_ gap: Interval) {
        for session in sessions.inOrder { session.deadline = session.deadline + gap }
        if let end = graceEnd { graceEnd = end + gap }
        for (id, _) in nodes.inOrder {
            nodes[id]?.lastHeard = now
            if let lostAt = nodes[id]?.lostAt { nodes[id]?.lostAt = lostAt + gap }
        }
    }

    /// Looks at no more of the reclaim queue than this: the figure is for people.
    private static let queueCountedMax = 10_000

    func status() -> ClusterStatusReply {
        var status = ClusterStatusReply()
        status.cluster = namespace.cluster
        status.map = keeper.durable
        status.usages = nodes.inOrder.map { id, node in
            var usage = ClusterStatusReply.Node()
            usage.id = id
            usage.usage = node.usage
            return usage
        }
        status.sessions = sessions.inOrder.map { session in
            var shown = ClusterStatusReply.Session()
            shown.id = session.id
            shown.label = session.label
            shown.leases = UInt32(clamping: session.leaseCount)
            shown.silentMilliseconds = UInt32(clamping: (now - session.lastHeard).milliseconds)
            return shown
        }
        status.inodes = namespace.inodeCount
        status.requestsPerSecond = statistics.requestsPerSecond
        status.requests = statistics.requests
        let transaction = namespace.begin()
        do throws(MetadataError) {
            status.reclaimQueue = UInt64(try transaction.reclaimEntries(limit: Self.queueCountedMax).count)
        } catch {
            _ = failed(error)
        }
        return status
    }
}

/// For tests and simulation.
extension MetadataCore {
    package func lease(of session: SessionID, on inode: InodeID) -> HeldLease? {
        leases.holder(inode, session).map {
            HeldLease(
                inode: inode, mode: $0.mode, sequence: $0.sequence,
                extent: leases.part(inode, session)?.extent ?? .whole)
        }
    }
    package func leaseCount(of session: SessionID) -> Int { sessions[session]?.leaseCount ?? 0 }
    package var waitingCount: Int { waiting.count }
}
