import ShoalKeyValue
import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

/// A connection between a model client and the core: two queues, each in order, cut at any moment. What the client had
/// sent before a cut may still arrive, also after its next connection has been made.
final class CoordinatorLink {
    enum ToServer {
        case hello(Hello)
        case request(RequestID, Operation, [UInt8])
        case answer(QuestionID, WireStatus, [UInt8])
        case closed
    }
    enum ToClient {
        case reply(RequestID, WireStatus, [UInt8])
        case ask(QuestionID, MetadataQuestion)
        case closed
    }
    let id: ConnectionID
    unowned let client: CoordinatorModelClient
    var toServer: [ToServer] = []
    var toClient: [ToClient] = []
    /// The client has not closed it, and not seen it closed.
    var isOpen = true

    init(id: ConnectionID, client: CoordinatorModelClient) {
        self.id = id
        self.client = client
    }
}

/// One core, its store, a clock, a network with delays and faults, and what is true at every moment.
final class CoordinatorWorld {
    let store = InMemoryStore()
    var limits = CoordinatorLimits.production
    var random: SeededGenerator
    private(set) var core: MetadataCore
    private(set) var now = MonotonicInstant(1_000_000_000_000)
    private var lastTick = MonotonicInstant(0)
    var clients: [CoordinatorModelClient] = []
    private(set) var links: [ConnectionID: CoordinatorLink] = [:]
    private var owners: [RequestID: ConnectionID] = [:]
    private var syncs: [QuestionID] = []
    private var deletions: [QuestionID] = []
    private var lastConnection: UInt64 = 0
    private var lastRequest: UInt64 = 0
    private var node = ConnectionID(0)
    private var nodeHeardAt = MonotonicInstant(0)
    /// Sessions that ended against their will, and restarts: what was promised to them is void.
    private(set) var disturbances = 0
    /// What the run has met, so that a model that does nothing does not pass.
    var coverage: [String: Int] = [:]
    func met(_ what: String) { coverage[what, default: 0] += 1 }
    func hasMet(_ what: String, _ least: Int) -> Bool { coverage[what, default: 0] >= least }
    var directories: [InodeID] = []
    var lastName = 0
    /// Their sizes may shrink at any time.
    var truncated: Set<InodeID> = []
    var goneNames: [(parent: InodeID, name: FileName)] = []
    var lostNames: Set<FileName> = []
    /// Keeps the dead, to whom links refer.
    var graveyard: [CoordinatorModelClient] = []

    init(seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        limits.leasesPerSessionMax = 24
        limits.coldRecallsInFlightMax = 3
        limits.deletionPause = .milliseconds(200)
        try Namespace.format(store, cluster: ClusterID(7), uid: 0, gid: 0, now: Timestamp(seconds: 1))
        try MetadataCore.format(store, replicaCount: 1, partitionCount: 4)
        let moment = Moment(now: now, wallClock: Timestamp(seconds: 2))
        core = try MetadataCore(namespace: try Namespace(store: store, limits: .simulation), limits: limits, at: moment)
        connectNode()
    }

    var moment: Moment {
        // Every moment is another one for file times, so that no two changes look alike.
        Moment(
            now: now,
            wallClock: Timestamp(
                seconds: now.rawValue / 1_000_000_000, nanoseconds: UInt32(now.rawValue % 1_000_000_000)))
    }

    // MARK: The clients' side of the network

    func connect(_ client: CoordinatorModelClient, _ hello: Hello) -> CoordinatorLink {
        lastConnection += 1
        let link = CoordinatorLink(id: ConnectionID(lastConnection), client: client)
        link.toServer.append(.hello(hello))
        links[link.id] = link
        return link
    }

    func send(_ operation: Operation, _ message: [UInt8], on link: CoordinatorLink) -> RequestID {
        lastRequest += 1
        let request = RequestID(lastRequest)
        owners[request] = link.id
        link.toServer.append(.request(request, operation, message))
        return request
    }

    /// The client's end of the connection is gone; the server finds out later.
    func cut(_ link: CoordinatorLink) {
        guard link.isOpen else { return }
        link.isOpen = false
        link.toClient = []
        if random.chance(1, in: 2) { link.toServer = [] }
        link.toServer.append(.closed)
        link.client.linkLost(link)
    }

    // MARK: Steps

    /// Delivers one message of one connection, if there is any.
    func deliver() throws -> Bool {
        let busy = links.values.filter { !$0.toServer.isEmpty || !$0.toClient.isEmpty }.sorted { $0.id < $1.id }
        guard let link = busy.randomElement(using: &random) else { return false }
        if !link.toServer.isEmpty, link.toClient.isEmpty || random.chance(1, in: 2) {
            deliverToServer(link)
        } else {
            let message = link.toClient.removeFirst()
            if case .closed = message {
                link.isOpen = false
                link.client.linkLost(link)
                link.toServer = []
                links[link.id] = nil
            } else if link.isOpen {
                try link.client.receive(message, on: link)
            }
        }
        return true
    }

    private func deliverToServer(_ link: CoordinatorLink) {
        switch link.toServer.removeFirst() {
        case .hello(let hello): core.connectionOpened(link.id, hello: hello, at: moment)
        case .request(let request, let operation, let message):
            message.withUnsafeBytes { core.received(operation, $0, request, on: link.id, at: moment) }
        case .answer(let question, let status, let message):
            message.withUnsafeBytes { core.answered(question, status, $0, at: moment) }
        case .closed:
            core.connectionClosed(link.id, at: moment)
            links[link.id] = nil
        }
        perform()
    }

    func passTime(_ interval: Interval) {
        now = now + interval
        if random.chance(1, in: 3), !syncs.isEmpty {
            core.synced(syncs.removeFirst(), at: moment)
            perform()
        }
        if random.chance(1, in: 4), !deletions.isEmpty {
            let status: WireStatus = random.chance(1, in: 10) ? .unreachable : .ok
            core.answered(deletions.removeFirst(), status, UnsafeRawBufferPointer(start: nil, count: 0), at: moment)
            perform()
        }
        guard now - lastTick >= .milliseconds(100) else { return }
        lastTick = now
        core.tick(at: moment)
        perform()
        if now - nodeHeardAt > .seconds(1) {
            nodeHeardAt = now
            requestOfNode(.nodeHeartbeat, NodeHeartbeatRequest(node: NodeID(1), usage: NodeUsage()))
        }
        for client in clients { client.tick() }
    }

    func restart() throws {
        disturbances += 1
        met("restart")
        for link in links.values {
            link.toServer = []
            link.toClient.append(.closed)
        }
        syncs = []
        deletions = []
        core = try MetadataCore(namespace: try Namespace(store: store, limits: .simulation), limits: limits, at: moment)
        perform()
        connectNode()
    }

    private func connectNode() {
        lastConnection += 1
        node = ConnectionID(lastConnection)
        core.connectionOpened(node, hello: Hello(role: .node, cluster: .unknown), at: moment)
        var message = RegisterNodeRequest()
        message.node = core.map.nodes.first?.id ?? NodeID(0)
        message.cluster = message.node == NodeID(0) ? .unknown : ClusterID(7)
        message.address = "127.0.0.1:1"
        requestOfNode(.registerNode, message)
    }

    private func requestOfNode(_ operation: Operation, _ message: some WireMessage) {
        lastRequest += 1
        message.encoded().withUnsafeBytes {
            core.received(operation, $0, RequestID(lastRequest), on: node, at: moment)
        }
        perform()
    }

    private func perform() {
        for action in core.takeActions() {
            switch action {
            case .reply(let request, let status, let message, _): reply(request, status, message)
            case .replyAfterSync(let request): reply(request, .ok, [])
            case .ask(let connection, let question, .deleteChunks):
                if connection == node { deletions.append(question) }
            case .ask(let connection, let question, let what):
                links[connection]?.toClient.append(.ask(question, what))
            case .sync(let question): syncs.append(question)
            case .publish, .grantLocks: break
            case .close(let connection):
                links[connection]?.toServer = []
                links[connection]?.toClient.append(.closed)
            case .note(.sessionExpired):
                disturbances += 1
                met("expiry")
            case .note: break
            case .fail(let reason): Issue.record("the core failed: \(reason)")
            }
        }
        core.checkInvariants()
    }

    private func reply(_ request: RequestID, _ status: WireStatus, _ message: [UInt8]) {
        guard let owner = owners.removeValue(forKey: request) else { return }
        links[owner]?.toClient.append(.reply(request, status, message))
    }

    var isQuiet: Bool {
        links.values.allSatisfy { $0.toServer.isEmpty && $0.toClient.isEmpty } && syncs.isEmpty && deletions.isEmpty
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

    // MARK: The truth

    func attributes(_ inode: InodeID) throws -> FileAttributes? {
        let transaction = core.namespace.begin()
        return try transaction.inode(inode)?.attributes
    }

    func inode(_ parent: InodeID, _ name: FileName) throws -> InodeID? {
        let transaction = core.namespace.begin()
        return try transaction.dentry(parent, name)?.inode
    }

    /// The size as its writer knows it; of a writer that may still use its lease.
    func trueSize(_ inode: InodeID) throws -> UInt64? {
        for client in clients where client.isUsable {
            if let size = client.dirty[inode] { return size }
        }
        return try attributes(inode)?.size
    }

    func checkTruth() throws {
        var writers: [InodeID: SessionID] = [:]
        var readers: [InodeID: SessionID] = [:]
        for client in clients where client.isUsable {
            for (inode, grant) in client.held where !client.isGivingUp(inode) {
                if grant.mode == .write {
                    #expect(writers[inode] == nil, "two writers of inode \(inode)")
                    writers[inode] = client.session
                } else if grant.mode == .read {
                    readers[inode] = client.session
                }
            }
            try client.checkCaches()
        }
        for (inode, writer) in writers {
            #expect(readers[inode] == nil, "session \(writer) writes inode \(inode) while another reads it")
        }
    }
}
