import Logging
import ShoalMetadata
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire

/// The core on its loop: turns what peers do into events, and performs the actions that come of them.
// @unchecked Sendable: everything but `init` is on the loop.
final class MetadataLoop: ListenerDelegate, @unchecked Sendable {
    private let core: MetadataCore
    private let loop: Loop
    private let syncs: StoreSyncs
    private let logger: Logger
    private let syncsEveryChange: Bool
    private let onFailure: @Sendable (MetadataServerError) -> Void
    /// Closes an inbound connection.
    var close: (any Peer) -> Void = { _ in }

    private var ids: [ObjectIdentifier: ConnectionID] = [:]
    private var peers: [ConnectionID: any Peer] = [:]
    /// Requests that are answered later.
    private var responders: [RequestID: any Responder] = [:]
    /// The request that is being handled: most are answered before the next comes.
    private var current: (request: RequestID, responder: any Responder)?
    private var lastConnection: UInt64 = 0
    private var lastRequest: UInt64 = 0
    /// With `--sync every`: a change's reply and all that follows it, in order, until a sync.
    private var held: [MetadataAction] = []
    private var isSyncing = false
    private var isStopped = false
    private let tickInterval = Interval.milliseconds(100)
    private let deletionDeadline = Interval.seconds(30)

    init(
        core: MetadataCore, loop: Loop, syncs: StoreSyncs, options: MetadataOptions, logger: Logger,
        onFailure: @escaping @Sendable (MetadataServerError) -> Void
    ) {
        self.core = core
        self.loop = loop
        self.syncs = syncs
        self.logger = logger
        self.onFailure = onFailure
        syncsEveryChange = options.durability == .every
    }

    func start() {
        perform()
        scheduleTick()
    }

    /// From here on nothing is answered: whoever waits is told by the end of the connection, and asks again.
    func stop() { isStopped = true }

    private var moment: Moment { Moment(now: loop.now, wallClock: loop.wallClock) }

    private func scheduleTick() {
        loop.schedule(after: tickInterval) { [weak self] in
            guard let self, !isStopped else { return }
            core.tick(at: moment)
            perform()
            scheduleTick()
        }
    }

    // MARK: Events

    func greet(_ hello: Hello) -> Result<Hello, WireStatus> { core.greet(hello) }

    func peerConnected(_ peer: any Peer, hello: Hello) {
        guard !isStopped else { return }
        lastConnection += 1
        let connection = ConnectionID(lastConnection)
        ids[ObjectIdentifier(peer)] = connection
        peers[connection] = peer
        core.connectionOpened(connection, hello: hello, at: moment)
        perform()
    }

    func peerDisconnected(_ peer: any Peer) {
        guard let connection = ids.removeValue(forKey: ObjectIdentifier(peer)) else { return }
        peers[connection] = nil
        guard !isStopped else { return }
        core.connectionClosed(connection, at: moment)
        perform()
    }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        guard !isStopped, let connection = ids[ObjectIdentifier(peer)] else { return responder.reply(.notReady) }
        lastRequest += 1
        let id = RequestID(lastRequest)
        current = (id, responder)
        core.received(request.operation, request.message, id, on: connection, at: moment)
        perform()
        if let current { responders[id] = current.responder }
        current = nil
    }

    // MARK: Actions

    private func perform() {
        for action in core.takeActions() {
            if syncsEveryChange, !held.isEmpty || action.isChange {
                held.append(action)
                syncHeld()
            } else {
                carryOut(action)
            }
        }
    }

    /// Sends what is held once a sync that began after it is done.
    private func syncHeld() {
        guard !isSyncing, !held.isEmpty else { return }
        isSyncing = true
        let count = held.count
        syncs.submit { [self] failure in
            loop.execute { [self] in
                isSyncing = false
                if let failure { return fail("the metadata store cannot be synced: \(failure)") }
                let due = held.prefix(count)
                held.removeFirst(count)
                for action in due { carryOut(action) }
                syncHeld()
            }
        }
    }

    private func carryOut(_ action: MetadataAction) {
        switch action {
        case .reply(let request, let status, let message, _):
            takeResponder(request)?.reply(status, message: message)
        case .replyAfterSync(let request):
            guard let responder = takeResponder(request) else { return }
            syncs.submit { [self] failure in
                if let failure {
                    responder.reply(.failed(.inputOutput))
                    loop.execute { [self] in fail("the metadata store cannot be synced: \(failure)") }
                } else {
                    responder.reply(Empty())
                }
            }
        case .ask(let connection, let question, let what): ask(connection, question, what)
        case .sync(let question):
            syncs.submit { [self] failure in
                loop.execute { [self] in
                    guard !isStopped else { return }
                    core.synced(question, failure: failure.map { "\($0)" }, at: moment)
                    perform()
                }
            }
        case .publish(let map, let connections):
            let message = MapMessage(map: map)
            for connection in connections { peers[connection]?.notify(.mapChanged, message) }
        case .grantLocks(let notice, let connection): peers[connection]?.notify(.locksGranted, notice)
        case .close(let connection):
            if let peer = peers[connection] { close(peer) }
        case .note(let event): event.log(to: logger)
        case .fail(let reason): fail(reason)
        }
    }

    private func takeResponder(_ request: RequestID) -> (any Responder)? {
        if let current, current.request == request {
            self.current = nil
            return current.responder
        }
        return responders.removeValue(forKey: request)
    }

    private func ask(_ connection: ConnectionID, _ question: QuestionID, _ what: MetadataQuestion) {
        let completion: (Reply) -> Void = { [weak self] reply in
            guard let self, !isStopped else { return }
            core.answered(question, reply.status, reply.message, at: moment)
            perform()
        }
        guard let peer = peers[connection] else {
            // The core has not been told yet that it is gone.
            loop.schedule(after: .milliseconds(0)) { completion(.failed(.unreachable)) }
            return
        }
        let patience = core.limits.term * (core.limits.recallTermsMax + 1)
        switch what {
        case .recall(let message): peer.call(.recall, message, deadline: patience, completion: completion)
        case .glimpse(let message): peer.call(.glimpse, message, deadline: patience, completion: completion)
        case .deleteChunks(let message):
            peer.call(.deleteChunks, message, deadline: deletionDeadline, completion: completion)
        }
    }

    /// Nothing is promised any more.
    private func fail(_ reason: String) {
        guard !isStopped else { return }
        isStopped = true
        logger.critical("\(reason)")
        for peer in peers.values { close(peer) }
        onFailure(.failed(reason))
    }
}

extension MetadataAction {
    fileprivate var isChange: Bool {
        if case .reply(_, _, _, isChange: true) = self { true } else { false }
    }
}
