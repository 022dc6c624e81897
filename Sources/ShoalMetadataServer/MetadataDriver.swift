import Logging
import ShoalKeyValue
import ShoalMetadata
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire

/// Brings events to the core and performs its actions. Lives on the loop.
///
/// Unchecked: touched only on its loop.
final class MetadataDriver: ListenerDelegate, @unchecked Sendable {
    private let core: MetadataCore
    private let loop: Loop
    private let syncer: SyncThread
    private let logger: Logger
    private let syncsEveryChange: Bool
    /// Called once when the store has failed and no promise can be kept.
    private let fail: @Sendable (String) -> Void

    private var connections: [ConnectionID: any Peer] = [:]
    private var identities: [ObjectIdentifier: ConnectionID] = [:]
    private var lastConnection = ConnectionID(0)
    private var responders: [RequestID: any Responder] = [:]
    private var lastRequest = RequestID(0)
    /// With `--sync every`: actions that wait for the sync under way, and those that wait for the next.
    private var heldForSync: [MetadataAction] = []
    private var heldForNext: [MetadataAction] = []
    private var isHolding = false
    private var isStopped = false
    private static let tickInterval = Interval.milliseconds(100)
    /// Longer than the core waits for an answer before it ends the session.
    private static let questionDeadline = Interval.seconds(60)

    init(
        core: MetadataCore, loop: Loop, syncer: SyncThread, syncsEveryChange: Bool, logger: Logger,
        fail: @escaping @Sendable (String) -> Void
    ) {
        self.core = core
        self.loop = loop
        self.syncer = syncer
        self.syncsEveryChange = syncsEveryChange
        self.logger = logger
        self.fail = fail
    }

    private var moment: Moment { Moment(now: loop.now, wallClock: loop.wallClock) }

    func start() { tick() }

    func stop() { isStopped = true }

    private func tick() {
        guard !isStopped else { return }
        core.tick(at: moment)
        perform()
        loop.schedule(after: MetadataDriver.tickInterval) { [weak self] in self?.tick() }
    }

    // MARK: Events

    func greet(_ hello: Hello) -> Result<Hello, WireStatus> { core.greet(hello) }

    func peerConnected(_ peer: any Peer, hello: Hello) {
        lastConnection = lastConnection.next
        connections[lastConnection] = peer
        identities[ObjectIdentifier(peer)] = lastConnection
        core.connectionOpened(lastConnection, hello: hello, at: moment)
        perform()
    }

    func peerDisconnected(_ peer: any Peer) {
        guard let connection = identities.removeValue(forKey: ObjectIdentifier(peer)) else { return }
        connections[connection] = nil
        guard !isStopped else { return }
        core.connectionClosed(connection, at: moment)
        perform()
    }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        guard let connection = identities[ObjectIdentifier(peer)], !isStopped else { return responder.reply(.notReady) }
        lastRequest = lastRequest.next
        responders[lastRequest] = responder
        core.received(request.operation, request.message, lastRequest, on: connection, at: moment)
        perform()
    }

    // MARK: Actions

    private func perform() {
        for action in core.takeActions() {
            if isHolding {
                heldForNext.append(action)
            } else if syncsEveryChange, case .reply(_, _, _, isChange: true) = action {
                isHolding = true
                heldForNext.append(action)
            } else {
                perform(action)
            }
        }
        if isHolding, heldForSync.isEmpty, !heldForNext.isEmpty { syncHeld() }
    }

    /// Replies that tell of changes leave when these are durable; all that came since the sync began share the next one.
    private func syncHeld() {
        heldForSync = heldForNext
        heldForNext = []
        syncer.sync { [self] failure in
            loop.execute { [self] in
                if let failure { return self.fail("\(failure)") }
                let ready = heldForSync
                heldForSync = []
                isHolding = !heldForNext.isEmpty
                for action in ready { perform(action) }
                if isHolding { syncHeld() }
            }
        }
    }

    private func perform(_ action: MetadataAction) {
        switch action {
        case .reply(let request, let status, let message, isChange: _):
            responders.removeValue(forKey: request)?.reply(status, message: message)
        case .replyAfterSync(let request):
            guard let responder = responders.removeValue(forKey: request) else { return }
            syncer.sync { [self] failure in
                if let failure { self.fail("\(failure)") } else { responder.reply(.ok) }
            }
        case .ask(let connection, let question, let what):
            ask(connection, question, what)
        case .sync(let question):
            syncer.sync { [self] failure in
                let reason = failure.map { "\($0)" }
                loop.execute { [self] in
                    core.synced(question, failure: reason, at: moment)
                    perform()
                }
            }
        case .publish(let map, let to):
            let message = MapMessage(map: map)
            for connection in to { connections[connection]?.notify(.mapChanged, message) }
        case .close(let connection):
            guard let peer = connections[connection] else { return }
            closePeer?(peer)
        case .note(let event):
            note(event)
        case .fail(let reason):
            fail(reason)
        }
    }

    /// Closes an inbound connection; set once the listener exists.
    var closePeer: ((any Peer) -> Void)?

    private func ask(_ connection: ConnectionID, _ question: QuestionID, _ what: MetadataQuestion) {
        let answered: (Reply) -> Void = { [self] reply in
            guard !isStopped else { return }
            core.answered(question, reply.status, reply.message, at: moment)
            perform()
        }
        guard let peer = connections[connection] else {
            loop.schedule(after: .milliseconds(0)) { answered(.failed(.unreachable)) }
            return
        }
        let deadline = MetadataDriver.questionDeadline
        switch what {
        case .recall(let message): peer.call(.recall, message, deadline: deadline, completion: answered)
        case .glimpse(let message): peer.call(.glimpse, message, deadline: deadline, completion: answered)
        case .deleteChunks(let message): peer.call(.deleteChunks, message, deadline: deadline, completion: answered)
        }
    }

    private func note(_ event: MetadataEvent) {
        switch event {
        case .sessionOpened, .sessionClosed, .nodeRegistered, .graceEnded: logger.info("\(event)")
        case .mapChanged: logger.debug("\(event)")
        case .sessionExpired, .nodeDown, .nodeReplaced: logger.warning("\(event)")
        case .storeFailed: logger.error("\(event)")
        }
    }
}
