import ShoalTypes

/// Every bound of a storage node, with its reason. Relations between them are checked by `init`.
package struct NodeLimits: Sendable {
    /// Bytes of arrived writes that wait for a shard thread, over all shards; beyond it writes are answered
    /// `.notReady`. Covers a burst of 64 of the largest writes; more would only be latency.
    package var queuedWriteBytesMax = 64 << 20
    /// Requests that wait, for a shard thread, a newer map or a chunk that is being mended; beyond it `.notReady`.
    package var queuedRequestsMax = 16_384
    /// Idle payload buffers kept for reuse: first touch of fresh memory costs more than the copy.
    package var idlePayloadBytesMax = 16 << 20
    /// Sessions whose newest connection generation is remembered.
    package var sessionsMax = 65_536
    /// Chunks remembered as recently written, over all sessions (about 32 bytes each).
    package var writtenChunksMax = 1 << 20
    /// Bytes of maps of the blocks that were written in them; 2 KiB for 64 MiB.
    package var writtenBlockBytesMax = 64 << 20
    /// A write older than this has been acknowledged or given up by its session before the session can be fenced:
    /// a multiple of the session term.
    package var writtenChunksAge = Interval.seconds(60)
    /// How long a request that names a newer epoch waits for the map.
    package var mapWait = Interval.seconds(2)
    /// How long a request waits for its chunk to be copied or reconciled.
    package var chunkWait = Interval.seconds(10)
    /// Copies between files under way at once; a client that is refused comes again.
    package var copiesMax = 64
    /// How long one node waits for another's answer.
    package var peerDeadline = Interval.seconds(5)
    /// How long a start waits for the metadata server to take the node in.
    package var registrationWait = Interval.seconds(15)
    /// How long a clean stop waits for the leader's answer to nodeLeaving.
    package var leaveWait = Interval.seconds(2)
    /// Partitions that a resync compares at the same time.
    package var resyncPartitionsMax = 8
    /// Chunks that a resync copies at the same time, besides those a waiting write needs.
    package var resyncChunksMax = 8
    /// Bytes per second that a resync copies; 0 is no bound.
    package var resyncBytesPerSecond = 256 << 20
    /// The pause before anything that failed between nodes is tried again.
    package var retryPause = Interval.milliseconds(200)
    /// Chunks in one reconcileChunks request.
    package var reconcileChunksMax = 256
    /// Attempts to mend a bad block before it is left and logged.
    package var repairAttemptsMax = 5
    /// Bytes per second that the background scrub verifies; 0 switches it off.
    package var scrubBytesPerSecond = 4 << 20
    /// The pause before the first round of the scrub: a start has better things to do.
    package var scrubStart = Interval.seconds(10)
    /// The pause between two rounds of the scrub.
    package var scrubPause = Interval.seconds(3600)
    /// Counted requests per second are averaged over this many seconds.
    package var rateWindowSeconds = 5

    package init() {}
    package static let production = NodeLimits()
}
