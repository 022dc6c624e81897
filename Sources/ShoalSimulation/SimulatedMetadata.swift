import ShoalKeyValue
import ShoalMetadata
import ShoalRPC
import ShoalTestSupport
import ShoalTypes
import ShoalWire

/// The production core behind a listener in memory: what `MetadataLoop` is in production.
package final class SimulatedMetadata: ListenerDelegate {
    package static let address = "metadata:1"
    private let board: Switchboard
    private let index = SimulatedIndex()
    private var store: any KeyValueStore
    private let limits: CoordinatorLimits
    package private(set) var core: MetadataCore
    package private(set) var process: SimulatedProcess
    private var ids: [ObjectIdentifier: ConnectionID] = [:]
    private var peers: [ConnectionID: MemoryPeer] = [:]
    private var responders: [RequestID: any Responder] = [:]
    private var lastConnection: UInt64 = 0
    private var lastRequest: UInt64 = 0
    package private(set) var events: [MetadataEvent] = []
    package private(set) var requestCounts: [Operation: Int] = [:]
    /// What requests of an operation are answered instead of being handled.
    package var refusals: [Operation: WireStatus] = [:]
    /// Told why it has given up.
    package var onFailure: (String) -> Void = { preconditionFailure("the metadata server failed: \($0)") }

    package init(board: Switchboard, replicas: UInt8, limits: CoordinatorLimits) throws {
        self.board = board
        self.limits = limits
        store = try index.open()
        try Namespace.format(store, cluster: ClusterID(7), uid: 0, gid: 0, now: Timestamp(seconds: 1))
        try MetadataCore.format(store, replicaCount: replicas, partitionCount: 16)
        try store.sync()
        process = SimulatedProcess(name: "metadata", clock: board.scheduler)
        core = try MetadataCore(
            namespace: try Namespace(store: store, limits: .simulation), limits: limits,
            at: Moment(now: board.scheduler.now, wallClock: board.scheduler.wallClock))
        start()
    }

    private var moment: Moment { Moment(now: process.now, wallClock: process.wallClock) }

    private func start() {
        board.listeners[SimulatedMetadata.address] = self
        board.processes[SimulatedMetadata.address] = process
        perform()
        tick()
    }

    /// Kill -9, and a new start over what the store holds after `pause`.
    package func restart(after pause: Interval) { restart(after: pause) {} }

    /// The machine loses power: what was not synced is lost, but for a part of what was written first.
    package func losePower(for pause: Interval, using random: inout SeededGenerator) {
        var generator = SeededGenerator(seed: random.next())
        restart(after: pause) { [self] in index.losePower(keep: 0.5, using: &generator) }
    }

    private func restart(after pause: Interval, _ damage: @escaping () -> Void) {
        process.end()
        let process = SimulatedProcess(name: "metadata", clock: board.scheduler)
        self.process = process
        board.listeners[SimulatedMetadata.address] = nil
        board.cut(SimulatedMetadata.address)
        ids = [:]
        peers = [:]
        responders = [:]
        damage()
        // Never, if it is killed once more before that.
        process.schedule(after: pause) { [self] in
            do {
                store = try index.open()
                core = try MetadataCore(
                    namespace: try Namespace(store: store, limits: .simulation), limits: limits, at: moment)
                start()
            } catch { onFailure("it does not start again: \(error)") }
        }
    }

    private func tick() {
        process.schedule(after: .milliseconds(100)) { [self] in
            core.tick(at: moment)
            perform()
            tick()
        }
    }

    package func greet(_ hello: Hello) -> Result<Hello, WireStatus> { core.greet(hello) }

    package func peerConnected(_ peer: any Peer, hello: Hello) {
        guard let peer = peer as? MemoryPeer else { return }
        lastConnection += 1
        let connection = ConnectionID(lastConnection)
        ids[ObjectIdentifier(peer)] = connection
        peers[connection] = peer
        core.connectionOpened(connection, hello: hello, at: moment)
        perform()
    }

    package func peerDisconnected(_ peer: any Peer) {
        guard let connection = ids.removeValue(forKey: ObjectIdentifier(peer)) else { return }
        peers[connection] = nil
        core.connectionClosed(connection, at: moment)
        perform()
    }

    package func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
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
            case .replyAfterSync(let request):
                sync { $0.responders.removeValue(forKey: request)?.reply(Empty()) }
            case .ask(let connection, let question, let what): ask(connection, question, what)
            case .sync(let question): sync { $0.core.synced(question, at: $0.moment) }
            case .publish(let map, let connections):
                for connection in connections { peers[connection]?.notify(.mapChanged, MapMessage(map: map)) }
            case .grantLocks(let notice, let connection): peers[connection]?.notify(.locksGranted, notice)
            case .close(let connection): peers[connection]?.link?.cut()
            case .note(let event): events.append(event)
            case .fail(let reason): onFailure(reason)
            }
        }
    }

    /// The disk takes its time; what was committed before that is durable then.
    private func sync(_ body: @escaping (SimulatedMetadata) -> Void) {
        later { server in
            do { try server.store.sync() } catch { return server.onFailure("its store cannot be synced: \(error)") }
            body(server)
        }
    }

    private func later(_ body: @escaping (SimulatedMetadata) -> Void) {
        process.schedule(after: board.drawDelay()) { [self] in
            body(self)
            perform()
        }
    }

    private func ask(_ connection: ConnectionID, _ question: QuestionID, _ what: MetadataQuestion) {
        let completion: (Reply) -> Void = { [weak self, process] reply in
            guard let self, process === self.process else { return }
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
