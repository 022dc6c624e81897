import ShoalKeyValue
import ShoalTypes

/// The cluster map on its way: changed in memory, then committed and synced, then published. One sync is under way at a
/// time; changes meanwhile share the next, so that a storm of events costs few epochs' worth of disk and messages.
struct MapKeeper {
    enum Waiter {
        /// Answered with the map.
        case map(RequestID)
        case registered(RequestID, NodeID)
        /// Its fence is in the map.
        case fenced(SessionID)
    }
    let partitionCount: Int
    /// With every change so far. Nobody outside has seen those after `durable`.
    private(set) var map: ClusterMap
    /// What survives the loss of power, and what peers are told.
    private(set) var durable: ClusterMap
    private var committed: ClusterMap?
    private var waiters: [(epoch: Epoch, waiter: Waiter)] = []
    private(set) var syncing: QuestionID?

    init(_ record: MapRecord) {
        partitionCount = Int(record.partitionCount)
        map = record.map
        durable = record.map
    }

    /// Returns what the body returns: whether the map changed.
    @discardableResult
    mutating func change(_ body: (inout ClusterMap) -> Bool) -> Bool { body(&map) }

    /// Told once the map as it is now is durable.
    mutating func await(_ waiter: Waiter) { waiters.append((map.epoch, waiter)) }

    var isBehind: Bool { map.epoch > durable.epoch }

    /// What to commit now, if anything; then `didCommit`, with a sync to follow.
    func nextBatch() -> WriteBatch? {
        guard syncing == nil, isBehind else { return nil }
        var batch = WriteBatch()
        batch.put(Keys.map, MapRecord(partitionCount: UInt32(partitionCount), map: map).stored())
        return batch
    }

    mutating func didCommit(syncing question: QuestionID) {
        syncing = question
        committed = map
    }

    /// The sync is done; the caller publishes `durable`. Returns the waiters whose epoch it has.
    mutating func didSync() -> [Waiter] {
        precondition(syncing != nil && committed != nil, "a sync that was not asked for")
        if let committed { durable = committed }
        committed = nil
        syncing = nil
        return takeWaiters()
    }

    /// The waiters that need not wait (any more).
    mutating func takeWaiters() -> [Waiter] {
        let epoch = durable.epoch
        let due = waiters.filter { $0.epoch <= epoch }.map(\.waiter)
        waiters.removeAll { $0.epoch <= epoch }
        return due
    }
}
