import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

/// One session, driven by a test.
final class CoordinatorClient {
    let harness: CoordinatorHarness
    private(set) var session = SessionID.none
    private(set) var connection: ConnectionID
    private var generation: UInt64 = 1
    var change: UInt64 = 0

    init(_ harness: CoordinatorHarness) throws {
        self.harness = harness
        connection = harness.connect()
        let request = harness.send(.openSession, OpenSessionRequest(label: "test"), on: connection)
        session = try harness.reply(request, as: OpenSessionReply.self).session
    }

    func nextChange() -> Caller {
        change += 1
        return Caller(session: session, change: change)
    }
    var reader: Caller { Caller(session: session) }

    /// A new connection, not yet reclaimed.
    func reconnect() {
        generation += 1
        connection = harness.connect(session: session, generation: generation)
    }

    @discardableResult
    func reclaim(_ leases: [(InodeID, Grant)] = []) -> RequestID {
        let held = leases.map { HeldLease(inode: $0, mode: $1.mode, sequence: $1.sequence, extent: $1.extent) }
        return send(.reclaimLeases, ReclaimLeasesRequest(session: session, leases: held, isLast: true))
    }

    @discardableResult
    func send(_ operation: Operation, _ message: some WireMessage) -> RequestID {
        harness.send(operation, message, on: connection)
    }

    // MARK: Requests

    func create(
        _ name: String, in parent: InodeID = .root, kind: FileKind = .regular, opensForWriting: Bool = false
    ) throws -> EntryReply {
        try harness.reply(send(.create, creation(name, in: parent, kind: kind, opensForWriting: opensForWriting)))
    }

    func creation(
        _ name: String, in parent: InodeID = .root, kind: FileKind = .regular, opensForWriting: Bool = false
    ) -> CreateRequest {
        var message = CreateRequest()
        message.caller = nextChange()
        message.parent = parent
        message.name = fileName(name)
        message.mode = kind.rawValue | 0o644
        message.opensForWriting = opensForWriting
        return message
    }

    func lookup(_ name: String, in parent: InodeID = .root) -> RequestID {
        send(.lookup, NameRequest(caller: reader, parent: parent, name: fileName(name)))
    }

    func getAttributes(_ inode: InodeID) -> RequestID {
        send(.getAttributes, InodeRequest(caller: reader, inode: inode))
    }

    func chmod(_ inode: InodeID, _ permissions: UInt32) -> RequestID {
        var change = AttributeChange()
        change.permissions = permissions
        return send(.setAttributes, SetAttributesRequest(caller: nextChange(), inode: inode, change: change))
    }

    func setAttribute(_ inode: InodeID, _ name: ExtendedAttributeName, _ value: [UInt8]) -> RequestID {
        var message = SetExtendedAttributeRequest()
        message.caller = nextChange()
        message.inode = inode
        message.name = name
        message.value = value
        return send(.setExtendedAttribute, message)
    }

    func listAttributes(_ inode: InodeID) -> RequestID {
        send(.listExtendedAttributes, InodeRequest(caller: reader, inode: inode))
    }

    func acquire(_ inode: InodeID, _ mode: LeaseMode, _ chunks: LeaseExtent = .whole) -> RequestID {
        send(.acquireLease, AcquireLeaseRequest(caller: reader, inode: inode, mode: mode, extent: chunks))
    }

    func granted(_ inode: InodeID, _ mode: LeaseMode) throws -> Grant {
        try harness.reply(acquire(inode, mode), as: EntryReply.self).grant
    }

    func unlink(_ name: String, in parent: InodeID = .root, unused: InodeID = InodeID(0)) -> RequestID {
        send(.unlink, NameRequest(caller: nextChange(), parent: parent, name: fileName(name), unused: unused))
    }

    func commit(_ inode: InodeID, _ grant: Grant, size: UInt64, reserved: UInt64) -> RequestID {
        var message = CommitWriteRequest()
        message.caller = nextChange()
        message.inode = inode
        message.sequence = grant.sequence
        message.size = size
        message.reservedSize = reserved
        message.neededSize = reserved
        return send(.commitWrite, message)
    }

    @discardableResult
    func release(_ inode: InodeID, _ grant: Grant, to mode: LeaseMode = .none) -> RequestID {
        let lease = HeldLease(inode: inode, mode: mode, sequence: grant.sequence)
        return send(.releaseLeases, ReleaseLeasesRequest(caller: nextChange(), leases: [lease]))
    }

    @discardableResult
    func heartbeat() -> RequestID { send(.heartbeat, SessionRequest(session: session)) }

    /// Lets time pass with heartbeats.
    func live(for interval: Interval, with others: [CoordinatorClient] = []) {
        var left = interval.milliseconds
        while left > 0 {
            for client in [self] + others { client.heartbeat() }
            let step = min(left, 1000)
            harness.advance(by: .milliseconds(step))
            left -= step
        }
    }

    // MARK: Questions

    func takeRecalls() -> [(question: QuestionID, recall: RecallRequest)] {
        harness.takeQuestions(connection).compactMap { question, what in
            if case .recall(let recall) = what { (question, recall) } else { nil }
        }
    }

    func takeGlimpses() -> [(question: QuestionID, glimpse: GlimpseRequest)] {
        harness.takeQuestions(connection).compactMap { question, what in
            if case .glimpse(let glimpse) = what { (question, glimpse) } else { nil }
        }
    }

    /// The one recall there is.
    func takeRecall() throws -> (question: QuestionID, recall: RecallRequest) {
        let recalls = takeRecalls()
        #expect(recalls.count == 1)
        return try #require(recalls.first, "nothing was recalled")
    }

    func answerRecall(keeping mode: LeaseMode = .none) throws {
        harness.answer(try takeRecall().question, RecallReply(remaining: mode))
    }
}
