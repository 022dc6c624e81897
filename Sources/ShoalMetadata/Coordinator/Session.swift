import ShoalTypes
import ShoalWire

/// A session as the leader sees it. One owner: the core.
final class Session {
    enum Phase {
        /// Known from before the restart, not heard of since.
        case unclaimed
        /// Connected again, and has not yet said all that it holds.
        case reclaiming
        case active
        /// Being expired: its leases still stand, until its fence is durable and its deadline has passed.
        case ending
    }

    let id: SessionID
    let label: String
    var phase: Phase
    /// Durably: the nodes refuse its writes.
    var isFenced = false
    var connection: ConnectionID?
    /// Of the newest connection; older ones are refused.
    var generation: ConnectionGeneration
    /// The session ends then, unless a heartbeat comes. Till then it may use its leases without asking.
    var deadline: MonotonicInstant
    var lastHeard: MonotonicInstant
    var leaseCount = 0
    var order = LeaseOrder()
    /// What it has claimed so far while reclaiming.
    var claims: [InodeID: HeldLease] = [:]
    var lockClaims: [HeldLock] = []
    var waitingCount = 0
    var coldRecallsInFlight = 0

    init(id: SessionID, label: String, phase: Phase, deadline: MonotonicInstant, now: MonotonicInstant) {
        self.id = id
        self.label = label
        self.phase = phase
        self.deadline = deadline
        lastHeard = now
        generation = ConnectionGeneration(0)
    }

    /// Where recalls and glimpses can be sent now.
    var answeringConnection: ConnectionID? { phase == .active ? connection : nil }
}

/// A session in the store; its ID is in the key. Layout after the format byte: label (count u32, UTF-8).
struct SessionRecord: StoredRecord, Equatable {
    var label = ""
    init() {}
    init(label: String) { self.label = label }
    mutating func code(_ coder: inout WireCoder) { coder.string(&label, max: 4096) }
}
