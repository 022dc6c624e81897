import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The session with the metadata server: opens it, keeps it alive, takes it up again after a lost connection or a
/// restarted server, and carries every request to an answer or its deadline. A changing request is executed once
/// however often it is sent.
final class MetadataLink: PeerDelegate {
    enum State {
        /// Not connected, or connected and not yet past the opening.
        case connecting
        case open
        case closed
    }

    /// Told on the loop about what the session meets.
    struct Events {
        /// The session is open; `isNew` if it is not the one from before: every lease is gone.
        var opened: (_ reply: OpenSessionReply, _ isNew: Bool) -> Void = { _, _ in }
        /// The session is gone; nothing it held may be used.
        var lost: () -> Void = {}
        var heldLeases: () -> [HeldLease] = { [] }
        var heldLocks: () -> [HeldLock] = { [] }
        var received: (Request, any Responder) -> Void = { $1.reply(.badRequest) }
        var notified: (Request) -> Void = { _ in }
        var refused: (WireStatus) -> Void = { _ in }
    }

    /// A request that has not been answered.
    private final class Pending {
        let change: UInt64
        let deadline: MonotonicInstant
        let send: (_ caller: Caller, _ completion: @escaping (Reply) -> Void) -> Void
        let complete: (Reply) -> Void
        /// The session it was first sent in. Only that one's record of replies keeps a change from being executed
        /// twice.
        var sentIn: SessionID?
        init(
            change: UInt64, deadline: MonotonicInstant,
            send: @escaping (_ caller: Caller, _ completion: @escaping (Reply) -> Void) -> Void,
            complete: @escaping (Reply) -> Void
        ) {
            self.change = change
            self.deadline = deadline
            self.send = send
            self.complete = complete
        }
    }

    private let scheduler: any Scheduler
    private let limits: ClientLimits
    private let label: String
    private let role: Hello.Role
    private let logger: Logger
    private unowned let network: any Network
    private(set) var peer: (any Peer)!
    var events = Events()

    private(set) var state = State.connecting
    private(set) var session = SessionID.none
    private(set) var cluster = ClusterID.unknown
    private var generation = ConnectionGeneration(0)
    private var termMilliseconds: Int64 = 8000
    /// The server keeps our leases at least until then.
    private(set) var leasesEnd = MonotonicInstant(0)
    /// As of the last heartbeat, or not known yet.
    private(set) var isSpaceLow = true
    private var queue: [Pending] = []
    private var openChanges = ChangeWindow()
    private var lastChange: UInt64 = 0
    private var heartbeatIsRunning = false
    private var openingAttempt = 0

    init(
        address: String, role: Hello.Role, label: String, network: any Network, scheduler: any Scheduler,
        limits: ClientLimits, logger: Logger
    ) {
        self.scheduler = scheduler
        self.limits = limits
        self.label = label
        self.role = role
        self.logger = logger
        self.network = network
        peer = network.dial(
            address, failsFast: false,
            hello: { [unowned self] in
                generation = generation.next
                return Hello(role: role, cluster: cluster, session: session, generation: generation)
            }, delegate: self)
    }

    /// Leases may be relied on: the server cannot have given them on, by our own clock.
    var leasesAreUsable: Bool { state == .open && scheduler.now < leasesEnd }

    // MARK: Requests

    /// Sends the message that `make` builds for the caller it is given, and again after a lost connection, until
    /// `completion` has a reply or the deadline has passed (`.unreachable`). A change that a session which has ended
    /// may have executed is not sent in another: `.unknownSession`.
    func request<Message: WireMessage>(
        _ operation: Operation, isChange: Bool, deadline: Interval? = nil, _ make: @escaping (Caller) -> Message,
        completion: @escaping (Reply) -> Void
    ) {
        guard state != .closed else {
            scheduler.schedule(after: .milliseconds(0)) { completion(.failed(.unknownSession)) }
            return
        }
        var change: UInt64 = 0
        if isChange {
            lastChange += 1
            change = lastChange
        }
        let pending = Pending(
            change: change, deadline: scheduler.now + (deadline ?? limits.metadataDeadline),
            send: { [unowned self] caller, answered in
                peer.call(operation, make(caller), deadline: limits.metadataAttemptDeadline, completion: answered)
            }, complete: completion)
        if state == .open, queue.isEmpty, openChanges.admits(change) { start(pending) } else { queue.append(pending) }
    }

    private func start(_ pending: Pending) {
        let isRetry = pending.sentIn != nil
        let sentIn = session
        if isMoot(pending) { return finish(pending, .failed(.unknownSession)) }
        pending.sentIn = session
        openChanges.insert(pending.change)
        pending.send(Caller(session: session, change: pending.change, isRetry: isRetry)) { [self] reply in
            answered(pending, sentIn: sentIn, reply)
        }
    }

    /// The session that may have executed the change is gone, and its record of replies with it.
    private func isMoot(_ pending: Pending) -> Bool {
        guard pending.change > 0, let sentIn = pending.sentIn else { return false }
        return sentIn != session
    }

    private func answered(_ pending: Pending, sentIn: SessionID, _ reply: Reply) {
        switch reply.status {
        case .unreachable, .notReady:
            guard scheduler.now < pending.deadline, state != .closed else {
                finish(pending, reply)
                break
            }
            enqueueAgain(pending)
        case .unknownSession:
            if sentIn == session { sessionIsGone() }
            if pending.change == 0, scheduler.now < pending.deadline, state != .closed {
                enqueueAgain(pending)
            } else {
                finish(pending, reply)
            }
        default:
            finish(pending, reply)
        }
        drain()
    }

    private func finish(_ pending: Pending, _ reply: Reply) {
        openChanges.remove(pending.change)
        pending.complete(reply)
    }

    /// Back into the queue after a pause, in the order of the changes.
    private func enqueueAgain(_ pending: Pending) {
        scheduler.schedule(after: limits.retryPause) { [self] in
            let place = queue.firstIndex { $0.change > pending.change } ?? queue.endIndex
            queue.insert(pending, at: place)
            drain()
        }
    }

    private func drain() {
        while state == .open, let first = queue.first, openChanges.admits(first.change) {
            queue.removeFirst()
            start(first)
        }
        guard state != .open, !queue.isEmpty else { return }
        let now = scheduler.now
        let ended = queue.filter { $0.deadline <= now || isMoot($0) }
        guard !ended.isEmpty else { return }
        queue.removeAll { $0.deadline <= now || isMoot($0) }
        for pending in ended { finish(pending, .failed(isMoot(pending) ? .unknownSession : .unreachable)) }
    }

    // MARK: The session

    func peerConnected(_ peer: any Peer, hello: Hello) {
        if cluster == .unknown { cluster = hello.cluster }
        openingAttempt += 1
        openOrReclaim(attempt: openingAttempt)
    }

    func peerDisconnected(_ peer: any Peer) {
        guard state != .closed else { return }
        logger.warning("lost the connection to the metadata server; trying again")
        state = .connecting
        openingAttempt += 1
        sweepWhileConnecting(attempt: openingAttempt)
    }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        events.received(request, responder)
    }
    func peer(_ peer: any Peer, notified notice: Request) { events.notified(notice) }
    func peer(_ peer: any Peer, refused status: WireStatus) {
        if status == .unknownSession { sessionIsGone() } else { events.refused(status) }
    }

    /// While there is no server, requests still meet their deadlines.
    private func sweepWhileConnecting(attempt: Int) {
        scheduler.schedule(after: .milliseconds(500)) { [weak self] in
            guard let self, state == .connecting, attempt == openingAttempt else { return }
            drain()
            sweepWhileConnecting(attempt: attempt)
        }
    }

    private func openOrReclaim(attempt: Int) {
        guard state != .closed, attempt == openingAttempt else { return }
        let sentAt = scheduler.now
        let done: (Reply) -> Void = { [weak self] reply in
            self?.openingAnswered(reply, sentAt: sentAt, attempt: attempt)
        }
        if session == .none {
            peer.call(
                .openSession, OpenSessionRequest(label: label), deadline: limits.metadataAttemptDeadline,
                completion: done)
            return
        }
        let partMax = 20_000
        var locks = events.heldLocks()[...]
        while !locks.isEmpty {
            let part = Array(locks.prefix(partMax))
            locks = locks.dropFirst(part.count)
            peer.call(
                .reclaimLocks, ReclaimLocksRequest(session: session, locks: part),
                deadline: limits.metadataAttemptDeadline, completion: { _ in })
        }
        var leases = events.heldLeases()[...]
        while leases.count > partMax {
            let part = Array(leases.prefix(partMax))
            leases = leases.dropFirst(partMax)
            peer.call(
                .reclaimLeases, ReclaimLeasesRequest(session: session, leases: part, isLast: false),
                deadline: limits.metadataAttemptDeadline, completion: { _ in })
        }
        peer.call(
            .reclaimLeases, ReclaimLeasesRequest(session: session, leases: Array(leases), isLast: true),
            deadline: limits.metadataAttemptDeadline, completion: done)
    }

    private func openingAnswered(_ reply: Reply, sentAt: MonotonicInstant, attempt: Int) {
        guard state != .closed, attempt == openingAttempt else { return }
        switch reply.decode(OpenSessionReply.self) {
        case .success(let opened):
            let isNew = opened.session != session
            session = opened.session
            termMilliseconds = Int64(opened.termMilliseconds)
            extendLeases(heardAt: sentAt)
            state = .open
            events.opened(opened, isNew)
            drain()
            if !heartbeatIsRunning { heartbeat() }
        case .failure(.unknownSession):
            sessionIsGone()
            openOrReclaim(attempt: attempt)
        case .failure(.unreachable):
            break  // The connection will come back, and with it the next attempt.
        case .failure(let status):
            if status != .notReady { logger.error("the metadata server refused the session: \(status)") }
            scheduler.schedule(after: .milliseconds(50)) { [weak self] in self?.openOrReclaim(attempt: attempt) }
        }
    }

    /// A request of that session, sent without `request`, was answered `.unknownSession`.
    func sessionEnded(_ ended: SessionID) {
        if ended == session { sessionIsGone() }
    }

    private func sessionIsGone() {
        guard session != .none, state != .closed else { return }
        logger.error("session \(session) has expired at the metadata server: what it had not written is lost")
        session = .none
        leasesEnd = MonotonicInstant(0)
        let wasOpen = state == .open
        state = .connecting
        events.lost()
        drain()
        if wasOpen {
            openingAttempt += 1
            openOrReclaim(attempt: openingAttempt)
        }
    }

    /// A quarter of the term is kept back: for the difference between clocks, and for what is under way.
    private func extendLeases(heardAt instant: MonotonicInstant) {
        let end = instant + .milliseconds(termMilliseconds * 3 / 4)
        if end > leasesEnd { leasesEnd = end }
    }

    /// Four per term, the first at once.
    private func heartbeat() {
        heartbeatIsRunning = state != .closed
        guard heartbeatIsRunning else { return }
        if state == .open { sendHeartbeat() }
        scheduler.schedule(after: .milliseconds(termMilliseconds / 4)) { [weak self] in self?.heartbeat() }
    }

    private func sendHeartbeat() {
        let sentAt = scheduler.now
        let sentIn = session
        peer.call(
            .heartbeat, SessionRequest(session: session), deadline: .milliseconds(termMilliseconds)
        ) { [weak self] reply in
            guard let self, sentIn == session else { return }
            switch reply.decode(HeartbeatReply.self) {
            case .success(let message):
                extendLeases(heardAt: sentAt)
                isSpaceLow = message.isSpaceLow
            case .failure(.unknownSession): sessionIsGone()
            case .failure: break  // The next one, or the lost connection, tells more.
            }
        }
    }

    /// Ends the session in order; the server frees its leases at once.
    func close(completion: @escaping () -> Void) {
        guard state == .open else {
            finishClosing()
            completion()
            return
        }
        peer.call(.closeSession, SessionRequest(session: session), deadline: .seconds(3)) { [self] _ in
            finishClosing()
            completion()
        }
    }

    private func finishClosing() {
        state = .closed
        let left = queue
        queue = []
        for pending in left { finish(pending, .failed(.unreachable)) }
        network.close(peer)
    }
}
