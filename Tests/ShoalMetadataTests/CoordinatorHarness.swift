import ShoalKeyValue
import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

/// A core over an in-memory store with a clock that tests turn by hand, and clients that do what tests say.
final class CoordinatorHarness {
    let store = InMemoryStore()
    let limits: CoordinatorLimits
    private(set) var core: MetadataCore
    private(set) var now = MonotonicInstant(1_000_000_000_000)
    private(set) var events: [MetadataEvent] = []
    private(set) var published: [ClusterMap] = []
    private(set) var failure: String?
    /// Syncs are reported done at once, unless this holds them back.
    var holdsSyncs = false { didSet { if !holdsSyncs { finishSyncs() } } }
    private var heldSyncs: [QuestionID] = []
    private var replies: [RequestID: (status: WireStatus, message: [UInt8])] = [:]
    private var inboxes: [ConnectionID: [(QuestionID, MetadataQuestion)]] = [:]
    private(set) var closed: Set<ConnectionID> = []
    /// Tickets of waits for locks that have ended, by connection.
    private(set) var grantedLocks: [ConnectionID: [UInt64]] = [:]
    enum Sent: Equatable {
        case reply(RequestID)
        case question(QuestionID)
    }
    /// In the order in which they left.
    private(set) var sent: [Sent] = []
    private var lastRequest: UInt64 = 0
    private var lastConnection: UInt64 = 0

    init(limits: CoordinatorLimits = .production) throws {
        self.limits = limits
        try Namespace.format(store, cluster: ClusterID(7), uid: 0, gid: 0, now: Timestamp(seconds: 1))
        try MetadataCore.format(store, replicaCount: 2, partitionCount: 16)
        core = try CoordinatorHarness.start(store, limits, Moment(now: now, wallClock: Timestamp(seconds: 2)))
    }

    private static func start(
        _ store: InMemoryStore, _ limits: CoordinatorLimits, _ moment: Moment
    ) throws -> MetadataCore {
        try MetadataCore(namespace: try Namespace(store: store, limits: .simulation), limits: limits, at: moment)
    }

    var moment: Moment { Moment(now: now, wallClock: Timestamp(seconds: now.rawValue / 1_000_000_000)) }

    /// Kill -9 and a new start over what the store holds.
    func restart() throws {
        inboxes = [:]
        heldSyncs = []
        core = try CoordinatorHarness.start(store, limits, moment)
        perform()
    }

    func advance(by interval: Interval) {
        let end = now + interval
        while now < end {
            now = min(end, now + .milliseconds(100))
            core.tick(at: moment)
            perform()
        }
    }

    /// The clock goes on and nothing else: the server stood still.
    func freeze(for interval: Interval) { now = now + interval }

    func connect(
        _ role: Hello.Role = .client, session: SessionID = .none, generation: UInt64 = 1
    ) -> ConnectionID {
        lastConnection += 1
        let connection = ConnectionID(lastConnection)
        let hello = Hello(
            role: role, cluster: .unknown, session: session, generation: ConnectionGeneration(generation))
        core.connectionOpened(connection, hello: hello, at: moment)
        perform()
        return connection
    }

    func disconnect(_ connection: ConnectionID) {
        inboxes[connection] = nil
        core.connectionClosed(connection, at: moment)
        perform()
    }

    @discardableResult
    func send(_ operation: Operation, _ message: some WireMessage, on connection: ConnectionID) -> RequestID {
        lastRequest += 1
        let request = RequestID(lastRequest)
        message.encoded().withUnsafeBytes { core.received(operation, $0, request, on: connection, at: moment) }
        perform()
        return request
    }

    func answer(_ question: QuestionID, _ message: some WireMessage) {
        message.encoded().withUnsafeBytes { core.answered(question, .ok, $0, at: moment) }
        perform()
    }

    func fail(_ question: QuestionID) {
        core.answered(question, .unreachable, UnsafeRawBufferPointer(start: nil, count: 0), at: moment)
        perform()
    }

    // MARK: What came out

    func status(_ request: RequestID) -> WireStatus? { replies[request]?.status }

    func reply<Message: WireMessage>(_ request: RequestID, as type: Message.Type = Message.self) throws -> Message {
        let reply = try #require(replies[request], "not answered")
        #expect(reply.status == .ok)
        return try Message(decoding: reply.message)
    }

    /// What the peer on this connection has been asked and has not looked at.
    func takeQuestions(_ connection: ConnectionID) -> [(QuestionID, MetadataQuestion)] {
        defer { inboxes[connection] = nil }
        return inboxes[connection] ?? []
    }

    private func perform() {
        for action in core.takeActions() {
            switch action {
            case .reply(let request, let status, let message, _):
                #expect(replies[request] == nil, "answered twice")
                replies[request] = (status, message)
                sent.append(.reply(request))
            case .replyAfterSync(let request): replies[request] = (.ok, [])
            case .ask(let connection, let question, let what):
                inboxes[connection, default: []].append((question, what))
                sent.append(.question(question))
            case .sync(let question): heldSyncs.append(question)
            case .publish(let map, _): published.append(map)
            case .grantLocks(let notice, let connection): grantedLocks[connection, default: []] += notice.tickets
            case .close(let connection):
                closed.insert(connection)
                inboxes[connection] = nil
            case .note(let event): events.append(event)
            case .fail(let message): failure = message
            }
        }
        if !holdsSyncs { finishSyncs() }
        core.checkInvariants()
    }

    private func finishSyncs() {
        while !heldSyncs.isEmpty {
            let question = heldSyncs.removeFirst()
            core.synced(question, at: moment)
            perform()
        }
    }

    func count(_ prefix: Keys.Prefix) throws -> Int {
        var count = 0
        let range = Keys.range(prefix)
        try store.scan(from: range.lower, to: range.upper) { _, _ in
            count += 1
            return true
        }
        return count
    }
}

func fileName(_ text: String) -> FileName {
    do { return try FileName(Array(text.utf8)) } catch { preconditionFailure("\(text) is no name") }
}
