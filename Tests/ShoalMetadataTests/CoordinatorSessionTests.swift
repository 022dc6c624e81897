import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: sessions")
struct CoordinatorSessionTests {
    @Test("a session that falls silent is fenced, durably, before anybody is given what it held")
    func expiry() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f", opensForWriting: true).attributes.inode
        let write = b.acquire(inode, .write)
        harness.holdsSyncs = true
        b.live(for: .seconds(9))
        #expect(harness.status(a.getAttributes(inode)) == .unknownSession)
        #expect(harness.status(write) == nil)
        #expect(harness.published.isEmpty)
        harness.holdsSyncs = false
        let map = try #require(harness.published.last)
        #expect(map.fenced == [a.session])
        let grant = try harness.reply(write, as: EntryReply.self).grant
        #expect(grant.minimumEpoch == map.epoch)
        #expect(grant.tailUnclean)
        #expect(harness.events.contains(.sessionExpired(a.session, label: "test", reason: .silent)))
    }

    @Test(
        "a session that sends heartbeats and does not give a lease back is expired after two terms, and has it one more"
    )
    func unansweredRecall() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f").attributes.inode
        let change = b.chmod(inode, 0o600)
        b.live(for: .seconds(15), with: [a])
        #expect(harness.status(change) == nil)
        b.live(for: .seconds(2), with: [a])
        #expect(harness.status(a.heartbeat()) == .unknownSession)
        let reason = MetadataEvent.ExpiryReason.recallUnanswered(inode)
        #expect(harness.events.contains(.sessionExpired(a.session, label: "test", reason: reason)))
        b.live(for: .seconds(6), with: [a])
        #expect(harness.status(change) == nil)
        b.live(for: .seconds(2), with: [a])
        #expect(harness.status(change) == .ok)
    }

    @Test("whoever has heard that its session has ended frees what that had by opening another")
    func replacement() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let change = b.chmod(try a.create("f").attributes.inode, 0o600)
        b.live(for: .seconds(17), with: [a])
        #expect(harness.status(change) == nil)
        #expect(harness.status(a.send(.openSession, OpenSessionRequest(label: "again"))) == .ok)
        #expect(harness.status(change) == .ok)
    }

    @Test("a session that was expired just before a restart has its leases for a term after it")
    func endingOverRestart() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f").attributes.inode
        _ = b.chmod(inode, 0o600)
        b.live(for: .seconds(17), with: [a])
        try harness.restart()
        b.reconnect()
        b.reclaim()
        b.live(for: .seconds(7))
        #expect(harness.status(b.chmod(inode, 0o600)) == .notReady)
        b.live(for: .seconds(2))
        #expect(harness.status(b.chmod(inode, 0o600)) == .ok)
        #expect(try harness.count(.session) == 1)
    }

    @Test("a writer that does not tell its size is expired as well")
    func unansweredGlimpse() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f", opensForWriting: true).attributes.inode
        let stat = b.getAttributes(inode)
        b.live(for: .seconds(26), with: [a])
        #expect(try harness.reply(stat, as: EntryReply.self).attributes.size == 0)
    }

    @Test("a goodbye frees everything at once, without a fence")
    func close() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f", opensForWriting: true).attributes.inode
        let write = b.acquire(inode, .write)
        #expect(harness.status(a.send(.closeSession, SessionRequest(session: a.session))) == .ok)
        #expect(harness.status(write) == .ok)
        #expect(harness.core.map.fenced.isEmpty)
        #expect(harness.status(a.getAttributes(inode)) == .unknownSession)
        #expect(try harness.count(.session) == 1)
        #expect(try harness.count(.sessionReply) == 0)
    }

    @Test("a lost connection frees nothing; the recall is asked again when the session is back")
    func reconnection() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f")
        let inode = created.attributes.inode
        let change = b.chmod(inode, 0o600)
        let first = try a.takeRecall()
        harness.disconnect(a.connection)
        b.live(for: .seconds(3))
        #expect(harness.status(change) == nil)
        a.reconnect()
        #expect(harness.status(a.getAttributes(inode)) == .notReady)
        #expect(a.takeRecalls().isEmpty)
        #expect(harness.status(a.reclaim([(inode, created.grant)])) == .ok)
        let second = try a.takeRecall()
        #expect(second.recall == first.recall)
        harness.answer(first.question, RecallReply(remaining: .none))
        #expect(harness.status(change) == nil)
        harness.answer(second.question, RecallReply(remaining: .none))
        #expect(harness.status(change) == .ok)
    }

    @Test("leases that a returning session does not name are gone")
    func reclaimDrops() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f")
        let inode = created.attributes.inode
        let change = b.chmod(inode, 0o600)
        a.reconnect()
        #expect(harness.status(a.reclaim()) == .ok)
        #expect(harness.status(change) == .ok)
        #expect(harness.core.leaseCount(of: a.session) == 0)
    }

    @Test("a session that was not told of a raise holds what it held before it")
    func reclaimLowers() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let created = try a.create("f")
        let inode = created.attributes.inode
        #expect(try a.granted(inode, .write).sequence > created.grant.sequence)
        a.reconnect()
        a.reclaim([(inode, created.grant)])
        #expect(try a.granted(inode, .read) == created.grant)
    }

    @Test("the connection that a session left behind is closed and no longer listened to")
    func staleConnection() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let former = a.connection
        a.reconnect()
        #expect(harness.closed == [former])
        a.reclaim()
        #expect(harness.status(harness.send(.create, a.creation("ghost"), on: former)) == .staleConnection)
        // Nor does the hello of an older connection take the session over.
        let late = harness.connect(session: a.session, generation: 1)
        #expect(harness.closed.contains(late))
        #expect(harness.status(a.lookup("ghost")) == .ok)
    }

    @Test("nobody is expired for the time in which the server itself stood still")
    func frozenServer() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        harness.freeze(for: .seconds(60))
        harness.advance(by: .milliseconds(100))
        #expect(harness.status(a.heartbeat()) == .ok)
    }

    @Test("after a restart nobody is served until all sessions are back, and they hold what they say")
    func grace() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        try harness.restart()
        b.reconnect()
        #expect(harness.status(b.reclaim()) == .ok)
        #expect(harness.status(b.getAttributes(inode)) == .notReady)
        let fresh = try CoordinatorClient(harness)
        #expect(harness.status(fresh.getAttributes(inode)) == .notReady)
        a.reconnect()
        #expect(harness.status(a.heartbeat()) == .ok)
        #expect(harness.core.isInGrace)
        a.reclaim([(inode, created.grant)])
        #expect(!harness.core.isInGrace)
        #expect(harness.status(a.commit(inode, created.grant, size: 4, reserved: 4)) == .ok)
        let write = fresh.acquire(inode, .write)
        #expect(harness.status(write) == nil)
        try a.answerRecall()
        #expect(try harness.reply(write, as: EntryReply.self).grant.sequence > created.grant.sequence)
    }

    @Test("after a restart those that do not come back within a term are fenced, heartbeats or not")
    func graceEnds() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f", opensForWriting: true).attributes.inode
        try harness.restart()
        a.reconnect()
        b.reconnect()
        b.reclaim()
        b.live(for: .seconds(9), with: [a])
        #expect(!harness.core.isInGrace)
        #expect(harness.core.map.fenced == [a.session])
        #expect(try b.granted(inode, .write).mode == .write)
        #expect(harness.status(a.reclaim()) == .unknownSession)
    }

    @Test("a claim against another session's lease ends the claimant")
    func conflictingClaim() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        try harness.restart()
        a.reconnect()
        a.reclaim([(inode, created.grant)])
        b.reconnect()
        #expect(harness.status(b.reclaim([(inode, created.grant)])) == .unknownSession)
        #expect(harness.core.map.fenced == [b.session])
        #expect(try a.granted(inode, .write).sequence == created.grant.sequence)
    }

    @Test("a session's end abandons its uploads")
    func uploads() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        for client in [a, b] {
            let message = PrepareUploadRequest(caller: client.nextChange(), size: 10 << 20)
            let reply = try harness.reply(client.send(.prepareUpload, message), as: PrepareUploadReply.self)
            #expect(reply.data != .none)
            #expect(reply.sequence != .none)
        }
        #expect(try harness.count(.upload) == 2)
        a.send(.closeSession, SessionRequest(session: a.session))
        #expect(try harness.count(.upload) == 1)
        #expect(try harness.count(.reclaim) == 1)
        harness.advance(by: .seconds(9))
        #expect(try harness.count(.upload) == 0)
        #expect(try harness.count(.reclaim) == 2)
    }
}
