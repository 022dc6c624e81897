import ShoalTypes
import ShoalWire

/// Every bound of the metadata server's core in one place.
package struct CoordinatorLimits: Sendable {
    /// A session and its leases end this long after its last heartbeat.
    package var term = Interval.seconds(8)
    /// A recall or glimpse that has not been obeyed for so many terms ends the session, heartbeats or not.
    package var recallTermsMax: Int64 = 2
    /// Sessions at once; past it `openSession` is answered `.notReady`.
    package var sessionsMax = 4096
    /// Leases of one session; near it the oldest are asked back and none ride along. A lease takes at most 160 bytes
    /// here.
    package var leasesPerSessionMax = 262_144
    /// Leases asked back for being old, at once, of one session.
    package var coldRecallsInFlightMax = 64
    /// Requests of one session that wait for leases; past it they are answered `.notReady`.
    package var waitingPerSessionMax = 1024
    package var locks = LockLimits.production
    /// Of new files.
    package var chunkBytesLog2 = Geometry.chunkBytesLog2Default
    /// A node whose connection was lost for so long is taken out of the in-sync sets.
    package var nodeReconnectGrace = Interval.milliseconds(300)
    /// A node that is connected but silent for so long is taken out.
    package var nodeSilenceMax = Interval.seconds(5)
    package var nodeHeartbeat = Interval.seconds(1)
    /// A node that was taken out on a client's word while connected may sync again after this long.
    package var nodeReportPause = Interval.seconds(1)
    /// A node that has been down for so long is replaced.
    package var nodeReplacementDelay = Interval.seconds(600)
    /// Chunks, and data IDs, whose deletion is under way at once.
    package var deletionChunksMax = 1024
    package var deletionEntriesMax = 256
    /// The pause after a failed deletion, and between looks at an empty queue.
    package var deletionPause = Interval.seconds(1)
    /// A node with less free space than this is nearly full. What all mounts together can have buffered, and write
    /// before they learn of it (a node's heartbeat and a session's), should fit.
    package var spaceLowBytes: UInt64 = 4 << 30
    /// Inodes that are given to another quota tree per tick, and per batch.
    package var quotaInodesPerTick = 1024
    package var quotaInodesPerBatch = 64
    /// What goes from the trash between two looks at it, and the pause between them.
    package var trashEntriesAtOnce = 64
    package var trashPause = Interval.milliseconds(200)
    /// The server itself stood still if ticks are further apart: nobody is blamed for that time.
    package var tickGapMax = Interval.seconds(1)

    package init() {}
    package static let production = CoordinatorLimits()
}
