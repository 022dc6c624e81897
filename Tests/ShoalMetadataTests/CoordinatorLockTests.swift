import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: record locks and flock")
struct CoordinatorLockTests {
    private let inode = InodeID(7)
    private var target: LockTarget { LockTarget(inode: inode, kind: .record, owner: LockOwner(5)) }

    @discardableResult
    private func lock(
        _ client: CoordinatorClient, _ mode: LockMode?, inode: InodeID? = nil, ticket: UInt64 = 0
    ) -> RequestID {
        var message = SetLockRequest()
        message.session = client.session
        message.target = target
        message.target.inode = inode ?? self.inode
        message.mode = mode
        message.process = 77
        message.ticket = ticket
        return client.send(.setLock, message)
    }

    private func isGranted(_ request: RequestID, _ harness: CoordinatorHarness) throws -> Bool {
        try harness.reply(request, as: SetLockReply.self).isGranted
    }

    private func reclaim(_ client: CoordinatorClient, _ mode: LockMode?) {
        client.reconnect()
        if let mode {
            let lock = HeldLock(target: target, range: .whole, mode: mode, process: 77)
            client.send(.reclaimLocks, ReclaimLocksRequest(session: client.session, locks: [lock]))
        }
        client.reclaim()
    }

    @Test("a lock is refused to others until it is released, and F_GETLK says who has it")
    func exclusion() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        #expect(try isGranted(lock(a, .exclusive), harness))
        #expect(harness.status(lock(b, .shared)) == .failed(.tryAgain))
        var question = TestLockRequest()
        question.session = b.session
        question.target = target
        let answer = try harness.reply(b.send(.testLock, question), as: TestLockReply.self)
        #expect(answer.conflict == TestLockReply.Conflict(range: .whole, mode: .exclusive, process: 77))
        #expect(try isGranted(lock(a, nil), harness))
        #expect(try isGranted(lock(b, .shared), harness))
    }

    @Test("who waits is answered at once, and told of the grant; asking twice is waiting once")
    func waiting() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive)
        #expect(try !isGranted(lock(b, .exclusive, ticket: 3), harness))
        #expect(try !isGranted(lock(b, .exclusive, ticket: 3), harness))
        #expect(harness.grantedLocks.isEmpty)
        lock(a, nil)
        #expect(harness.grantedLocks == [b.connection: [3]])
        #expect(try isGranted(lock(b, .exclusive, ticket: 3), harness))
    }

    @Test("a cancel ends the wait or comes too late, and says which; a cancelled wait leaves no lock")
    func cancel() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        func cancel(_ ticket: UInt64) throws -> Bool {
            let request = b.send(.cancelLock, CancelLockRequest(session: b.session, ticket: ticket))
            return try harness.reply(request, as: CancelLockReply.self).wasWaiting
        }
        lock(a, .exclusive)
        lock(b, .exclusive, ticket: 1)
        #expect(try cancel(1))
        lock(a, nil)
        #expect(harness.grantedLocks.isEmpty)
        lock(a, .exclusive)
        lock(b, .exclusive, ticket: 2)
        lock(a, nil)
        #expect(try !cancel(2))
        #expect(harness.grantedLocks == [b.connection: [2]])
        #expect(harness.status(lock(a, .exclusive)) == .failed(.tryAgain))
    }

    @Test("a circle of waits over two sessions is a deadlock for the last one")
    func deadlock() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive, inode: InodeID(1))
        lock(b, .exclusive, inode: InodeID(2))
        #expect(try !isGranted(lock(a, .exclusive, inode: InodeID(2), ticket: 1), harness))
        #expect(harness.status(lock(b, .exclusive, inode: InodeID(1), ticket: 1)) == .failed(.deadlock))
        lock(b, nil, inode: InodeID(2))
        #expect(harness.grantedLocks == [a.connection: [1]])
    }

    @Test("the locks of a session that falls silent go to those who wait, but not before its fence is durable")
    func expiry() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive)
        lock(b, .exclusive, ticket: 1)
        harness.holdsSyncs = true
        b.live(for: .seconds(9))
        #expect(harness.grantedLocks.isEmpty)
        harness.holdsSyncs = false
        #expect(harness.grantedLocks == [b.connection: [1]])
    }

    @Test("a goodbye frees locks and ends waits at once")
    func close() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive)
        lock(b, .exclusive, ticket: 1)
        a.send(.closeSession, SessionRequest(session: a.session))
        #expect(harness.grantedLocks == [b.connection: [1]])
        b.send(.closeSession, SessionRequest(session: b.session))
        let c = try CoordinatorClient(harness)
        #expect(try isGranted(lock(c, .exclusive), harness))
    }

    @Test("after a restart nobody is given a lock before everybody has said what they hold")
    func restart() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive)
        try harness.restart()
        reclaim(b, nil)
        #expect(harness.status(lock(b, .exclusive, ticket: 1)) == .notReady)
        reclaim(a, .exclusive)
        #expect(harness.status(lock(b, .exclusive)) == .failed(.tryAgain))
        #expect(try !isGranted(lock(b, .exclusive, ticket: 1), harness))
        lock(a, nil)
        #expect(harness.grantedLocks == [b.connection: [1]])
    }

    @Test("a session that does not come back after a restart loses its locks with the grace")
    func lostInRestart() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive)
        try harness.restart()
        reclaim(b, nil)
        b.live(for: .seconds(9))
        #expect(try isGranted(lock(b, .exclusive), harness))
    }

    @Test("two sessions that claim one lock exclusively cannot both be honest: the later one is ended")
    func conflictingClaims() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        try harness.restart()
        reclaim(a, .exclusive)
        reclaim(b, .shared)
        let reason = MetadataEvent.ExpiryReason.conflictingLock(inode)
        #expect(harness.events.contains(.sessionExpired(b.session, label: "test", reason: reason)))
        #expect(try isGranted(lock(a, nil), harness))
    }

    @Test("a lost connection ends its waits; what the session does not claim on the next is free")
    func reconnection() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive)
        lock(b, .exclusive, ticket: 1)
        harness.disconnect(b.connection)
        lock(a, nil)
        #expect(harness.grantedLocks.isEmpty)
        lock(a, .exclusive)
        reclaim(b, nil)
        #expect(try !isGranted(lock(b, .exclusive, ticket: 1), harness))
        // The reply to an unlock was lost: the session knows better than the server what it has.
        reclaim(a, nil)
        #expect(harness.grantedLocks == [b.connection: [1]])
        reclaim(b, .exclusive)
        #expect(harness.status(lock(a, .exclusive)) == .failed(.tryAgain))
    }

    @Test("locks of a session without a connection stand until its term is over")
    func disconnected() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        lock(a, .exclusive)
        harness.disconnect(a.connection)
        b.live(for: .seconds(3))
        #expect(harness.status(lock(b, .exclusive)) == .failed(.tryAgain))
        b.live(for: .seconds(6))
        #expect(try isGranted(lock(b, .exclusive), harness))
    }
}
