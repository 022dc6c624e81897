import ShoalMetadata
import ShoalTypes
import ShoalWire
import ShoalTestSupport
import Testing

struct CoordinatorMove: Equatable {
    var directory: InodeID
    var name: FileName
}

/// A mount in miniature: it caches under its leases, buffers sizes under write leases, keeps files open, obeys recalls
/// late, sends again what was not answered, and checks what it sees against the truth.
final class CoordinatorModelClient {
    /// A request that has not been answered.
    final class Pending {
        let operation: Operation
        let change: UInt64
        let build: (Caller) -> [UInt8]
        let completion: (Result<[UInt8], WireStatus>) throws -> Void
        /// Directories whose names it may change, and inodes whose attributes it may; nil for any.
        let directories: [InodeID]
        let inodes: [InodeID]?
        /// What a removal gives back the lease of, with the name.
        let unused: InodeID
        var wasSent = false
        var wasRetried = false
        init(
            _ operation: Operation, change: UInt64, directories: [InodeID], inodes: [InodeID]?, unused: InodeID,
            build: @escaping (Caller) -> [UInt8], completion: @escaping (Result<[UInt8], WireStatus>) throws -> Void
        ) {
            self.operation = operation
            self.change = change
            self.directories = directories
            self.inodes = inodes
            self.unused = unused
            self.build = build
            self.completion = completion
        }
    }

    unowned let world: CoordinatorWorld
    let number: Int
    private(set) var session = SessionID.none
    private(set) var link: CoordinatorLink?
    private var generation = ConnectionGeneration(0)
    /// The session is open on this connection, and everything has been reclaimed.
    private(set) var isOpen = false
    private var opening: RequestID?
    private var heartbeats: [RequestID: MonotonicInstant] = [:]
    private var nextHeartbeat = MonotonicInstant(0)
    private var leasesEnd = MonotonicInstant(0)
    private var lastChange: UInt64 = 0
    private var pending: [RequestID: Pending] = [:]
    private var unsent: [Pending] = []
    /// Silent until then; for ever if it is dead.
    var stalledUntil = MonotonicInstant(0)
    var isDead = false
    /// Does not answer recalls until then.
    var isStubborn = false

    var held: [InodeID: Grant] = [:]
    var attributes: [InodeID: FileAttributes] = [:]
    var names: [InodeID: [FileName: InodeID?]] = [:]
    var dirty: [InodeID: UInt64] = [:]
    var open: Set<InodeID> = []
    private var flushing: Set<InodeID> = []
    /// What a lease is being lowered to: replies that left before the server knew still grant more.
    private var releasing: [LeaseSequence: LeaseMode] = [:]
    private(set) var recalls: [(question: QuestionID, recall: RecallRequest)] = []
    /// Names that only this client uses, and where they are.
    var ownNames: [FileName: (parent: InodeID, inode: InodeID)] = [:]
    var lostNames: Set<FileName> = []
    /// Where renames that are under way take what the kernel knows of the old name.
    var moves: [CoordinatorMove] = []

    init(_ world: CoordinatorWorld, number: Int) {
        self.world = world
        self.number = number
    }

    /// Ends the session in order; nothing is sent after it.
    func goodbye() {
        guard let link, isOpen else { return }
        _ = world.send(.closeSession, SessionRequest(session: session).encoded(), on: link)
        isDead = true
    }

    private var isSilent: Bool { isDead || world.now < stalledUntil }
    /// By its own clock its leases stand.
    var isUsable: Bool { !isDead && session != .none && world.now < leasesEnd }
    var isIdle: Bool { pending.isEmpty && unsent.isEmpty && recalls.isEmpty }
    var pendingCount: Int { pending.count + unsent.count }
    func isBeingRecalled(_ inode: InodeID) -> Bool { recalls.contains { $0.recall.inode == inode } }

    /// The lease goes with a removal that is on its way: the server may have given it to somebody already.
    func isGivingUp(_ inode: InodeID) -> Bool { (pending.values + unsent).contains { $0.unused == inode } }

    /// A removal is on its way: what it has said not to use, it does not begin to use.
    var isRemoving: Bool { (pending.values + unsent).contains { $0.change > 0 && $0.inodes == nil } }

    // MARK: Session

    func tick() {
        guard !isSilent else { return }
        if link == nil {
            generation = generation.next
            let hello = Hello(role: .client, cluster: .unknown, session: session, generation: generation)
            let link = world.connect(self, hello)
            self.link = link
            begin(on: link)
        }
        guard isOpen, let link, world.now >= nextHeartbeat else { return }
        nextHeartbeat = world.now + .seconds(2)
        heartbeats[world.send(.heartbeat, SessionRequest(session: session).encoded(), on: link)] = world.now
        if !unsent.isEmpty { sendUnsent() }
    }

    private func begin(on link: CoordinatorLink) {
        let sentAt = world.now
        if session == .none {
            opening = world.send(.openSession, OpenSessionRequest(label: "model").encoded(), on: link)
        } else {
            let leases = held.map { HeldLease(inode: $0.key, mode: $0.value.mode, sequence: $0.value.sequence) }
                .sorted { $0.inode < $1.inode }
            let half = leases.count / 2
            let first = ReclaimLeasesRequest(session: session, leases: Array(leases[..<half]), isLast: false)
            if half > 0 { _ = world.send(.reclaimLeases, first.encoded(), on: link) }
            let rest = ReclaimLeasesRequest(session: session, leases: Array(leases[half...]), isLast: true)
            opening = world.send(.reclaimLeases, rest.encoded(), on: link)
        }
        if let opening { heartbeats[opening] = sentAt }
    }

    func linkLost(_ lost: CoordinatorLink) {
        guard link === lost else { return }
        link = nil
        isOpen = false
        opening = nil
        heartbeats = [:]
        recalls = []
        flushing = []
        releasing = [:]
        unsent += pending.sorted { $0.key < $1.key }.map(\.value)
        unsent.removeAll { $0.operation == .releaseLeases }
        pending = [:]
    }

    private func sessionLost() throws {
        guard session != .none else { return }
        session = .none
        (held, attributes, names, dirty, open) = ([:], [:], [:], [:], [])
        moves = []
        (recalls, flushing, releasing, heartbeats) = ([], [], [:], [:])
        leasesEnd = MonotonicInstant(0)
        lostNames.formUnion(ownNames.keys)
        ownNames = [:]
        isOpen = false
        lastChange = 0
        let given = pending.sorted { $0.key < $1.key }.map(\.value) + unsent
        pending = [:]
        unsent = []
        for request in given { try request.completion(.failure(.unknownSession)) }
        if let link { begin(on: link) }
    }

    private func heard(_ sentAt: MonotonicInstant) {
        leasesEnd = max(leasesEnd, sentAt + .seconds(6))
    }

    // MARK: Messages

    func receive(_ message: CoordinatorLink.ToClient, on link: CoordinatorLink) throws {
        guard link === self.link, !isDead else { return }
        switch message {
        case .reply(let request, let status, let bytes): try reply(request, status, bytes)
        case .ask(let question, .recall(let recall)):
            if held[recall.inode] != nil {
                #expect(held[recall.inode]?.sequence == recall.sequence)
                recalls.append((question, recall))
            } else {
                answer(question, RecallReply(remaining: .none))
            }
        case .ask(let question, .glimpse(let glimpse)):
            if let size = shownSize(glimpse) {
                world.met("glimpse")
                var reply = GlimpseReply(size: size, modifyTime: world.moment.wallClock, changeTime: Timestamp())
                reply.isIdle = dirty[glimpse.inode] == nil && Bool.random(using: &world.random)
                answer(question, reply)
            } else {
                link.toServer.append(.answer(question, .failed(.notFound), []))
            }
        case .ask, .closed: break
        }
    }

    private func shownSize(_ glimpse: GlimpseRequest) -> UInt64? {
        guard let grant = held[glimpse.inode], grant.mode == .write, grant.sequence == glimpse.sequence else {
            return nil
        }
        return dirty[glimpse.inode] ?? attributes[glimpse.inode]?.size
    }

    private func answer(_ question: QuestionID, _ message: some WireMessage) {
        link?.toServer.append(.answer(question, .ok, message.encoded()))
    }

    private func reply(_ request: RequestID, _ status: WireStatus, _ bytes: [UInt8]) throws {
        if let sentAt = heartbeats.removeValue(forKey: request) {
            if status == .unknownSession { return try sessionLost() }
            if request == opening {
                guard status == .ok else { return }
                let reply = try OpenSessionReply(decoding: bytes)
                session = reply.session
                isOpen = true
                opening = nil
                sendUnsent()
            }
            if status == .ok { heard(sentAt) }
            return
        }
        guard let answered = pending.removeValue(forKey: request) else { return }
        switch status {
        case .ok:
            world.met(answered.wasRetried ? "retry answered" : "answered")
            try answered.completion(.success(bytes))
        case .notReady, .staleConnection, .unreachable: unsent.append(answered)
        case .unknownSession:
            unsent.append(answered)
            try sessionLost()
        default: try answered.completion(.failure(status))
        }
    }

    /// - Parameters: what the request may change of what is cached here.
    func request<Message: WireMessage>(
        _ operation: Operation, isChange: Bool = false, directories: [InodeID] = [], inodes: [InodeID]? = [],
        unused: InodeID = InodeID(0), _ message: Message, caller: WritableKeyPath<Message, Caller>,
        completion: @escaping (Result<[UInt8], WireStatus>) throws -> Void
    ) {
        if isChange { lastChange += 1 }
        let request = Pending(
            operation, change: isChange ? lastChange : 0, directories: directories, inodes: inodes, unused: unused,
            build: { who in
                var message = message
                message[keyPath: caller] = who
                return message.encoded()
            }, completion: completion)
        unsent.append(request)
        sendUnsent()
    }

    func sendUnsent() {
        guard isOpen, let link, !isSilent else { return }
        for request in unsent {
            let caller = Caller(
                session: session, change: request.change, isRetry: request.wasSent && request.change > 0)
            if request.wasSent, request.change > 0 { request.wasRetried = true }
            request.wasSent = true
            pending[world.send(request.operation, request.build(caller), on: link)] = request
        }
        unsent = []
    }

    // MARK: Leases

    /// Takes what a reply grants, and caches what it shows if a lease allows it.
    func take(_ grant: Grant, of inode: InodeID, _ shown: FileAttributes?) {
        var grant = grant
        grant.mode = min(grant.mode, releasing[grant.sequence] ?? .write)
        if grant.mode != .none { held[inode] = grant }
        guard (held[inode]?.mode ?? .none) >= .read else { return }
        if let shown { attributes[inode] = shown }
    }

    func drop(_ inode: InodeID) {
        held[inode] = nil
        attributes[inode] = nil
        names[inode] = nil
        dirty[inode] = nil
    }

    func release(_ inode: InodeID) {
        guard let grant = held[inode], dirty[inode] == nil, !isBeingRecalled(inode),
            !moves.contains(where: { $0.directory == inode })
        else { return }
        let remaining: LeaseMode = open.contains(inode) ? .pin : .none
        if remaining == .pin, grant.mode == .pin { return }
        lower(inode, to: remaining)
        releasing[grant.sequence] = remaining
        let lease = HeldLease(inode: inode, mode: remaining, sequence: grant.sequence)
        request(.releaseLeases, ReleaseLeasesRequest(caller: Caller(), leases: [lease]), caller: \.caller) { [self] _ in
            if releasing[grant.sequence] == remaining { releasing[grant.sequence] = nil }
        }
    }

    private func lower(_ inode: InodeID, to mode: LeaseMode) {
        if mode == .none { return drop(inode) }
        held[inode]?.mode = mode
        if mode < .read { attributes[inode] = nil }
        if mode < .names { names[inode] = nil }
    }

    /// Obeys one recall, if it can: what is buffered is flushed first.
    func obeyRecall() {
        guard !isSilent, !isStubborn, let index = recalls.indices.randomElement(using: &world.random) else { return }
        let (question, recall) = recalls[index]
        guard let grant = held[recall.inode], grant.sequence == recall.sequence else {
            recalls.remove(at: index)
            return answer(question, RecallReply(remaining: .none))
        }
        if dirty[recall.inode] != nil { return flush(recall.inode) }
        guard !flushing.contains(recall.inode), !isMoving(into: recall) else { return }
        recalls.remove(at: index)
        world.met("recall obeyed")
        for name in recall.names { names[recall.inode]?[name] = nil }
        let remaining = remainder(of: recall, grant)
        lower(recall.inode, to: remaining)
        answer(question, RecallReply(remaining: remaining))
    }

    private func remainder(of recall: RecallRequest, _ grant: Grant) -> LeaseMode {
        if recall.mode == .read { return min(grant.mode, .read) }
        if recall.mode == .names, recall.inode == .root || world.directories.contains(recall.inode) {
            let isKept = names[recall.inode] != nil && (!moves.isEmpty || !world.random.chance(1, in: 4))
            if isKept { world.met("names kept") }
            return isKept ? .names : .none
        }
        return open.contains(recall.inode) ? .pin : .none
    }

    /// A name is on its way, with what is known of it, to one that is to be forgotten; or into a directory that is.
    private func isMoving(into recall: RecallRequest) -> Bool {
        moves.contains { $0.directory == recall.inode && (recall.mode < .names || recall.names.contains($0.name)) }
    }

    func flush(_ inode: InodeID) {
        guard let grant = held[inode], grant.mode == .write, let size = dirty[inode], !flushing.contains(inode),
            isOpen
        else { return }
        flushing.insert(inode)
        var message = CommitWriteRequest()
        message.inode = inode
        message.sequence = grant.sequence
        message.size = size
        message.reservedSize = size
        message.modifyTime = world.moment.wallClock
        message.changeTime = message.modifyTime
        request(.commitWrite, isChange: true, inodes: [inode], message, caller: \.caller) { [self] result in
            flushing.remove(inode)
            guard case .success(let bytes) = result else {
                if case .failure(.unknownSession) = result { return }
                Issue.record("a flush under the lease failed: \(result)")
                return
            }
            let reply = try EntryReply(decoding: bytes)
            if dirty[inode] == reply.attributes.size { dirty[inode] = nil }
            take(reply.grant, of: inode, reply.attributes)
        }
    }

    // MARK: Laws

    /// Whatever is cached under a lease is what the server has, unless a change of its own is on the way.
    func checkCaches() throws {
        let flux = (pending.values + unsent).filter { $0.change > 0 }
        let allInFlux = flux.contains { $0.inodes == nil }
        let inodesInFlux = Set(flux.flatMap { $0.inodes ?? [] })
        let directoriesInFlux = Set(flux.flatMap(\.directories))
        for (inode, cached) in attributes where !allInFlux && !inodesInFlux.contains(inode) && dirty[inode] == nil {
            let truth = try world.attributes(inode)
            try #require(truth == cached, "client \(number) has stale attributes of inode \(inode)")
        }
        for (directory, known) in names where !directoriesInFlux.contains(directory) {
            for (name, inode) in known {
                let truth = try world.inode(directory, name)
                try #require(truth == inode, "client \(number) has a stale name \(name) in \(directory)")
            }
        }
        for inode in open where held[inode] != nil {
            let truth = try world.attributes(inode)
            try #require(truth != nil, "inode \(inode) is gone while client \(number) has it open")
        }
    }
}
