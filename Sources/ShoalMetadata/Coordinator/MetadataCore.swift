import ShoalKeyValue
import ShoalTypes
import ShoalWire

/// The metadata leader: sessions, leases, the queue of requests that wait for leases, the cluster map, and the
/// namespace under them. A synchronous state machine with one owner: events in, actions out. It reads and writes the
/// store that it is given, and nothing else; time comes with each event.
///
/// After every event the owner performs `takeActions()`, in order. Replies leave in the order in which their operations
/// executed, and a recall leaves before any reply that no longer carries the lease: what a client receives on one
/// connection is a consistent history.
package final class MetadataCore {
    package let namespace: Namespace
    package let limits: CoordinatorLimits
    var leases = LeaseTable()
    var locks: LockTable
    var sessions = SessionTable()
    var waiting = WaitingOperations()
    var recalls = Recalls()
    var keeper: MapKeeper
    var nodes = NodeTable()
    var reclaim = ReclaimState()
    var statistics = Statistics()
    /// Stands in for a session where the server itself changes the namespace. It holds no lease and never ends.
    let ownSession: Session
    /// When the trash is looked at next.
    var nextTrashLook = MonotonicInstant(.min)
    /// Inodes without a name that live on for the sessions that have them open.
    var orphans: Set<InodeID> = []
    /// Which chunks sessions have lately asked for where others were writing.
    var interests = WriteInterests()
    /// Files of which a writer of a part has ended without a word: what they take is counted by the next writer of the whole.
    var uncountedFiles: Set<InodeID> = []
    /// Orphans that nobody has open any more.
    var endedOrphans: [InodeID] = []
    /// Near their limit of leases, once for every lease that came or did not: asked for old ones after the reply.
    var crowded: [Session] = []
    /// Until every session from before the restart has come back or ended; nil after that.
    var graceEnd: MonotonicInstant?
    /// Those that did not come back in time.
    var graceExpired = 0
    private(set) var moment: Moment
    var lastTick: MonotonicInstant
    private var lastSequence: UInt64
    private var lastQuestion: UInt64 = 0
    private var actions: [MetadataAction] = []

    /// Takes up what is in a formatted store (`Namespace.format`, `MetadataCore.format`). Sessions that it holds have
    /// one term to come back.
    /// - Throws: `.corrupt`, `.store`.
    package init(
        namespace: Namespace, limits: CoordinatorLimits = .production, at moment: Moment
    ) throws(MetadataError) {
        self.namespace = namespace
        self.limits = limits
        locks = LockTable(limits: limits.locks)
        self.moment = moment
        lastTick = moment.now
        ownSession = Session(id: .none, label: "", phase: .active, deadline: moment.now, now: moment.now)
        // 2^40 grants between restarts, 2^24 restarts: neither is ever reached.
        lastSequence = try namespace.countRestart() << 40
        keeper = MapKeeper(try MetadataCore.storedMap(namespace))
        try loadSessions()
        try loadOrphans()
        expectNodes()
    }

    // MARK: Time and actions

    var now: MonotonicInstant { moment.now }
    var wallClock: Timestamp { moment.wallClock }
    func advance(to moment: Moment) { self.moment = moment }

    func act(_ action: MetadataAction) { actions.append(action) }
    func note(_ event: MetadataEvent) { actions.append(.note(event)) }

    /// What is to be done since the last call, in order.
    package func takeActions() -> [MetadataAction] {
        guard !actions.isEmpty else { return [] }
        defer { actions.removeAll(keepingCapacity: true) }
        return actions
    }

    func reply(_ request: RequestID, _ status: WireStatus) {
        guard request != .own else { return }
        actions.append(.reply(request, status, message: [], isChange: false))
    }
    func reply(_ request: RequestID, _ message: some WireMessage, isChange: Bool = false) {
        guard request != .own else { return }
        actions.append(.reply(request, .ok, message: message.encoded(), isChange: isChange))
    }

    func nextQuestion() -> QuestionID {
        lastQuestion += 1
        return QuestionID(lastQuestion)
    }
    func nextSequence() -> LeaseSequence {
        lastSequence += 1
        return LeaseSequence(lastSequence)
    }

    // MARK: The store

    /// Commits; nil if that went well, else what a requester is told. A full disk refuses the change and the server
    /// goes on; after any other failure nothing in memory can be trusted.
    func commit(_ transaction: consuming NamespaceTransaction) -> WireStatus? {
        do throws(MetadataError) {
            try namespace.commit(transaction)
            return nil
        } catch {
            return failed(error)
        }
    }

    /// What a requester is told of an error, after stopping the server where going on could do harm.
    func failed(_ error: MetadataError) -> WireStatus {
        switch error {
        case .file, .corrupt: break
        case .store(.noSpace(let reason)): note(.storeFailed("no space: \(reason)"))
        case .store(let failure): act(.fail("the metadata store failed: \(failure)"))
        }
        if case .corrupt(let reason) = error { note(.storeFailed(reason)) }
        return error.status
    }

    // MARK: After every event

    /// Does what has become possible: ended orphans go, waiting requests are tried again, map changes go to the disk.
    func settle() {
        while true {
            if let orphan = endedOrphans.popLast() {
                reclaimOrphan(orphan)
            } else if let operation = waiting.takeReady() {
                tryAgain(operation)
            } else if let session = crowded.popLast() {
                recallCold(of: session)
            } else if !flushMap() {
                break
            }
        }
    }

    /// Laws that hold between events. Costly: for tests and simulation.
    package func checkInvariants() {
        leases.checkInvariants()
        checkLockInvariants()
        var total = 0
        for session in sessions.inOrder {
            var held: Set<InodeID> = []
            session.order.forEach { entry in
                if leases.holder(entry.inode, session.id)?.sequence == entry.sequence { held.insert(entry.inode) }
            }
            precondition(held.count == session.leaseCount, "session \(session.id) loses count of its leases")
            total += held.count
        }
        precondition(total == leases.count, "leases without a session")
        precondition(!waiting.hasReady, "an event ended with work left to do")
        for orphan in orphans where graceEnd == nil {
            precondition(leases.isHeld(orphan), "orphan \(orphan) that nobody has open")
        }
    }
}
