import ShoalKeyValue
import ShoalMetadata
import ShoalRPC
import ShoalTypes
import ShoalWire
import Testing

/// The production core behind a listener in memory: what `MetadataLoop` is in production.
final class MetadataTwin: ListenerDelegate {
    static let address = "metadata:1"
    let board: Switchboard
    private let store = InMemoryStore()
    private let limits: CoordinatorLimits
    private(set) var core: MetadataCore
    private var ids: [ObjectIdentifier: ConnectionID] = [:]
    private var peers: [ConnectionID: MemoryPeer] = [:]
    private var responders: [RequestID: any Responder] = [:]
    private var lastConnection: UInt64 = 0
    private var lastRequest: UInt64 = 0
    /// Counts starts: what an earlier process had under way is moot.
    private var life = 0
    private(set) var events: [MetadataEvent] = []
    private(set) var requestCounts: [Operation: Int] = [:]
    /// What requests of an operation are answered instead of being handled.
    var refusals: [Operation: WireStatus] = [:]

    init(board: Switchboard, replicas: UInt8, limits: CoordinatorLimits) throws {
        self.board = board
        self.limits = limits
        try Namespace.format(store, cluster: ClusterID(7), uid: 0, gid: 0, now: Timestamp(seconds: 1))
        try MetadataCore.format(store, replicaCount: replicas, partitionCount: 16)
        core = try MetadataCore(
            namespace: try Namespace(store: store, limits: .simulation), limits: limits,
            at: Moment(now: board.scheduler.now, wallClock: board.scheduler.wallClock))
        start()
    }

    private var moment: Moment { Moment(now: board.scheduler.now, wallClock: board.scheduler.wallClock) }

    private func start() {
        life += 1
        board.listeners[MetadataTwin.address] = self
        perform()
        tick(life)
    }

    /// Kill -9, and a new start over what the store holds after `pause`.
    func restart(after pause: Interval) {
        life += 1
        board.listeners[MetadataTwin.address] = nil
        board.cut(MetadataTwin.address)
        ids = [:]
        peers = [:]
        responders = [:]
        let life = life
        board.scheduler.schedule(after: pause) { [self] in
            // Killed once more before it was up.
            guard life == self.life else { return }
            do {
                core = try MetadataCore(
                    namespace: try Namespace(store: store, limits: .simulation), limits: limits, at: moment)
                start()
            } catch { Issue.record("the core does not start again: \(error)") }
        }
    }

    private func tick(_ life: Int) {
        board.scheduler.schedule(after: .milliseconds(100)) { [self] in
            guard life == self.life else { return }
            core.tick(at: moment)
            perform()
            tick(life)
        }
    }

    func greet(_ hello: Hello) -> Result<Hello, WireStatus> { core.greet(hello) }

    func peerConnected(_ peer: any Peer, hello: Hello) {
        guard let peer = peer as? MemoryPeer else { return }
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
        core.connectionClosed(connection, at: moment)
        perform()
    }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        guard let connection = ids[ObjectIdentifier(peer)] else { return responder.reply(.notReady) }
        requestCounts[request.operation, default: 0] += 1
        if let refusal = refusals[request.operation] { return responder.reply(refusal) }
        lastRequest += 1
        responders[RequestID(lastRequest)] = responder
        core.received(request.operation, request.message, RequestID(lastRequest), on: connection, at: moment)
        perform()
    }

    private func perform() {
        for action in core.takeActions() {
            switch action {
            case .reply(let request, let status, let message, _):
                responders.removeValue(forKey: request)?.reply(status, message: message)
            case .replyAfterSync(let request): responders.removeValue(forKey: request)?.reply(Empty())
            case .ask(let connection, let question, let what): ask(connection, question, what)
            case .sync(let question):
                later { $0.core.synced(question, at: $0.moment) }
            case .publish(let map, let connections):
                for connection in connections { peers[connection]?.notify(.mapChanged, MapMessage(map: map)) }
            case .grantLocks(let notice, let connection): peers[connection]?.notify(.locksGranted, notice)
            case .close(let connection): peers[connection]?.link?.cut()
            case .note(let event): events.append(event)
            case .fail(let reason): Issue.record("the core failed: \(reason)")
            }
        }
    }

    private func later(_ body: @escaping (MetadataTwin) -> Void) {
        let life = self.life
        board.scheduler.schedule(after: board.drawDelay()) { [self] in
            guard life == self.life else { return }
            body(self)
            perform()
        }
    }

    private func ask(_ connection: ConnectionID, _ question: QuestionID, _ what: MetadataQuestion) {
        let life = self.life
        let completion: (Reply) -> Void = { [weak self] reply in
            guard let self, life == self.life else { return }
            core.answered(question, reply.status, reply.message, at: moment)
            perform()
        }
        guard let peer = peers[connection] else { return later { _ in completion(.failed(.unreachable)) } }
        let patience = limits.term * (limits.recallTermsMax + 1)
        switch what {
        case .recall(let message): peer.call(.recall, message, deadline: patience, completion: completion)
        case .glimpse(let message): peer.call(.glimpse, message, deadline: patience, completion: completion)
        case .deleteChunks(let message):
            peer.call(.deleteChunks, message, deadline: .seconds(30), completion: completion)
        }
    }
}
