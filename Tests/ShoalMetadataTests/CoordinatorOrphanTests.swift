import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: files without a name")
struct CoordinatorOrphanTests {
    @Test("a file that another session has open outlives its last name until that session lets go")
    func openElsewhere() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        let unlink = b.unlink("f", unused: inode)
        for recall in a.takeRecalls() {
            harness.answer(recall.question, RecallReply(remaining: recall.recall.inode == inode ? .pin : .none))
        }
        let reply = try harness.reply(unlink, as: RemovalReply.self)
        #expect(reply.removed.linkCount == 0)
        #expect(!reply.isOrphan)
        #expect(try harness.count(.orphan) == 1)
        #expect(harness.status(a.getAttributes(inode)) == .ok)
        let again = try a.granted(inode, .write)
        #expect(harness.status(a.commit(inode, again, size: 1, reserved: 1)) == .ok)
        a.release(inode, again)
        #expect(try harness.count(.orphan) == 0)
        #expect(try harness.count(.reclaim) == 1)
        #expect(harness.status(a.getAttributes(inode)) == .failed(.notFound))
    }

    @Test(
        "who looks a name up while its removal waits is given a pin: the inode stays for what follows",
        arguments: [FileKind.regular, .fifo])
    func foundWhileRemoved(kind: FileKind) throws {
        let harness = try CoordinatorHarness()
        let (a, b, c) = (
            try CoordinatorClient(harness), try CoordinatorClient(harness), try CoordinatorClient(harness)
        )
        let inode = try a.create("f", kind: kind).attributes.inode
        let unlink = b.unlink("f", unused: inode)
        let found = try #require(try harness.reply(c.lookup("f"), as: LookupReply.self).found)
        #expect(found.grant.mode == .pin)
        for recall in a.takeRecalls() { harness.answer(recall.question, RecallReply(remaining: .none)) }
        #expect(harness.status(unlink) == .ok)
        let seen = try harness.reply(c.getAttributes(inode), as: EntryReply.self)
        #expect(seen.attributes.linkCount == 0)
        c.release(inode, seen.grant)
        #expect(harness.status(c.getAttributes(inode)) == .failed(.notFound))
    }

    @Test("a file that nobody has open goes with its last name, and its leases with it")
    func openNowhere() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f", opensForWriting: true).attributes.inode
        let unlink = b.unlink("f", unused: inode)
        for recall in a.takeRecalls() { harness.answer(recall.question, RecallReply(remaining: .none)) }
        let reply = try harness.reply(unlink, as: RemovalReply.self)
        #expect(reply.grant == .none)
        #expect(try harness.count(.orphan) == 0)
        #expect(try harness.count(.reclaim) == 1)
    }

    @Test("the requester may have the file open unless it says otherwise; it is given a pin to return")
    func openHere() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let kept = try a.create("kept", opensForWriting: true)
        let reply = try harness.reply(a.unlink("kept"), as: RemovalReply.self)
        #expect(reply.isOrphan)
        #expect(reply.grant == kept.grant)
        a.release(kept.attributes.inode, reply.grant)
        #expect(try harness.count(.orphan) == 0)
        let gone = try a.create("gone", opensForWriting: true)
        let last = try harness.reply(a.unlink("gone", unused: gone.attributes.inode), as: RemovalReply.self)
        #expect(!last.isOrphan)
        #expect(harness.core.lease(of: a.session, on: gone.attributes.inode) == nil)
        #expect(try harness.count(.orphan) == 0)
    }

    @Test("a requester that held nothing is given a pin it can name")
    func pinForStranger() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f").attributes.inode
        let unlink = b.unlink("f")
        for recall in a.takeRecalls() { harness.answer(recall.question, RecallReply(remaining: .none)) }
        let reply = try harness.reply(unlink, as: RemovalReply.self)
        #expect(reply.isOrphan)
        #expect(reply.grant.mode == .pin)
        b.release(inode, reply.grant)
        #expect(try harness.count(.orphan) == 0)
    }

    @Test("a session's end lets go of what it had open")
    func sessionEnds() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        _ = try a.create("f", opensForWriting: true)
        _ = a.unlink("f")
        #expect(try harness.count(.orphan) == 1)
        harness.advance(by: .seconds(9))
        #expect(try harness.count(.orphan) == 0)
    }

    @Test("after a restart an orphan stays if a session claims it and goes if none does")
    func restart() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let kept = try a.create("kept", opensForWriting: true)
        _ = try a.create("gone", opensForWriting: true)
        _ = a.unlink("kept")
        _ = a.unlink("gone")
        try harness.restart()
        #expect(try harness.count(.orphan) == 2)
        a.reconnect()
        a.reclaim([(kept.attributes.inode, kept.grant)])
        #expect(try harness.count(.orphan) == 1)
        #expect(harness.status(a.getAttributes(kept.attributes.inode)) == .ok)
        a.send(.closeSession, SessionRequest(session: a.session))
        #expect(try harness.count(.orphan) == 0)
        try harness.restart()
        #expect(!harness.core.isInGrace)
    }
}
