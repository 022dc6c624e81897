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
        var lost: (@escaping () -> Void) -> Void = { $0() }
        var heldLeases: () -> [HeldLease] = { [] }
        var heldLocks: () -> [HeldLock] = { [] }
        var received: (Request, any Responder) -> Void = { $1.reply(.badRequest) }
        var notified: (Request) -> Void = { _ in }
        var refused: (WireStatus) -> Void = { _ in }
    }

    /// A request that has not been answered.
    final class Pending {
        let change: UInt64
        let deadline: MonotonicInstant
        let send: (_ caller: Caller, _ completion: @escaping (Reply) -> Void) -> Void
        let complete: (Reply) -> Void
        /// The session it was first sent in. Only that one's record of replies keeps a change from being executed
        /// twice.
        var sentIn: SessionID?
        var wasRetried = false
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

    let scheduler: any Scheduler
    let limits: ClientLimits
    let label: String
    private let role: Hello.Role
    let logger: Logger
    unowned let network: any Network
    private(set) var peer: (any Peer)!
    var events = Events()

    var state = State.connecting
    var session = SessionID.none
    var cluster = ClusterID.unknown
    private var generation = ConnectionGeneration(0)
    var termMilliseconds: Int64 = 8000
    /// The server keeps our leases at least until then.
    var leasesEnd = MonotonicInstant(0)
    /// The answer that is being taken in is to a change that was sent more than once: it may be of an earlier execution,
    /// and others may have changed since what it says of names.
    var isAnswerOld = false
    /// As of the last heartbeat, or not known yet.
    var isSpaceLow = true
    var queue: [Pending] = []
    var openChanges = ChangeWindow()
    var lastChange: UInt64 = 0
    var heartbeatIsRunning = false
    var openingAttempt = 0

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
    var leasesAreUsable: Bool {
        state == .open && (scheduler.now < leasesEnd || limits.plantedFault == .expiredLease)
    }

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
}
