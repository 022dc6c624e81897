import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: leases")
struct CoordinatorLeaseTests {
    @Test("a change waits until every other session's read lease has been given back, and for nothing else")
    func changeWaitsForReaders() throws {
        let harness = try CoordinatorHarness()
        let (a, b, c) = (
            try CoordinatorClient(harness), try CoordinatorClient(harness), try CoordinatorClient(harness)
        )
        let inode = try a.create("f").attributes.inode
        #expect(try harness.reply(b.getAttributes(inode), as: EntryReply.self).grant.mode == .read)
        let change = c.chmod(inode, 0o600)
        #expect(harness.status(change) == nil)
        #expect(try a.takeRecall().recall.mode == .names)
        let ofB = try b.takeRecall()
        // Others go on meanwhile.
        #expect(harness.status(b.getAttributes(.root)) == .ok)
        harness.answer(ofB.question, RecallReply(remaining: .none))
        #expect(harness.status(change) == nil)
        a.release(inode, try a.claimed(inode))
        let reply = try harness.reply(change, as: EntryReply.self)
        #expect(reply.attributes.permissions == 0o600)
        #expect(reply.grant.mode == .read)
    }

    @Test("a session's own leases never stand in its way")
    func ownLeasesStay() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let created = try a.create("f", opensForWriting: true)
        #expect(created.grant.mode == .write)
        #expect(created.parentGrant.mode == .read)
        let changed = try harness.reply(a.chmod(created.attributes.inode, 0o600), as: EntryReply.self)
        #expect(changed.grant == created.grant)
        #expect(try a.create("g").parentGrant == created.parentGrant)
        #expect(a.takeRecalls().isEmpty)
    }

    @Test("another session's read takes a write lease down to read; another's write, down to pin")
    func recallsTakeNoMoreThanTheyMust() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        let read = b.acquire(inode, .read)
        let first = try a.takeRecall()
        #expect(first.recall == RecallRequest(inode: inode, sequence: created.grant.sequence, mode: .read))
        harness.answer(first.question, RecallReply(remaining: .read))
        #expect(try harness.reply(read, as: EntryReply.self).grant.mode == .read)
        #expect(try a.granted(inode, .read) == created.grant.lowered(to: .read))
        let write = b.acquire(inode, .write)
        let second = try a.takeRecall()
        #expect(second.recall.mode == .pin)
        harness.answer(second.question, RecallReply(remaining: .pin))
        let grant = try harness.reply(write, as: EntryReply.self).grant
        #expect(grant.mode == .write)
        #expect(grant.sequence > created.grant.sequence)
    }

    @Test("an access counts if nobody set the access time meanwhile, changes nothing else, and recalls nobody's lease")
    func accessTimes() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let before = try a.create("f").attributes
        let granted = try b.granted(before.inode, .read)
        func read(at seconds: Int64, previous: Timestamp?) -> WireStatus? {
            let times = [before.inode, InodeID(before.inode.rawValue + 1)].map {
                AccessTime(inode: $0, time: Timestamp(seconds: seconds, nanoseconds: 7), previous: previous)
            }
            return harness.status(b.send(.setAccessTimes, AccessTimesRequest(caller: b.reader, times: times)))
        }
        #expect(read(at: 1 << 40, previous: before.accessTime) == .ok)
        // Sent twice, or by a reader that came second.
        #expect(read(at: 1 << 39, previous: before.accessTime) == .ok)
        var expected = before
        expected.accessTime = Timestamp(seconds: 1 << 40, nanoseconds: 7)
        let after = try harness.reply(b.getAttributes(before.inode), as: EntryReply.self)
        #expect(after.attributes == expected)
        #expect(after.grant.sequence == granted.sequence)
        #expect(a.takeRecalls().isEmpty)
        // Who does not know the time before leaves it to the server.
        #expect(read(at: (1 << 40) + 1, previous: nil) == .ok)
        #expect(try harness.reply(b.getAttributes(before.inode), as: EntryReply.self).attributes == expected)
        #expect(read(at: 1 << 41, previous: nil) == .ok)
        expected.accessTime = Timestamp(seconds: 1 << 41, nanoseconds: 7)
        #expect(try harness.reply(b.getAttributes(before.inode), as: EntryReply.self).attributes == expected)
        // A time in the future, set by hand, gives way to the next access.
        #expect(read(at: 1000, previous: expected.accessTime) == .ok)
        expected.accessTime = Timestamp(seconds: 1000, nanoseconds: 7)
        #expect(try harness.reply(b.getAttributes(before.inode), as: EntryReply.self).attributes == expected)
    }

    @Test("while a request waits for an inode, nobody else is given a new lease on it")
    func noNewLeasesWhileWaiting() throws {
        let harness = try CoordinatorHarness()
        let (a, b, c) = (
            try CoordinatorClient(harness), try CoordinatorClient(harness), try CoordinatorClient(harness)
        )
        let inode = try a.create("f").attributes.inode
        let change = b.chmod(inode, 0o600)
        let seen = try harness.reply(c.getAttributes(inode), as: EntryReply.self)
        #expect(seen.grant == .none)
        #expect(seen.attributes.permissions == 0o644)
        // The holder is not told again that it holds what it is asked to give back.
        #expect(try harness.reply(a.getAttributes(inode), as: EntryReply.self).grant == .none)
        try a.answerRecall()
        #expect(try harness.reply(change, as: EntryReply.self).grant.mode == .read)
        #expect(try harness.reply(c.getAttributes(inode), as: EntryReply.self).grant.mode == .read)
    }

    @Test("a session that asks for a lease of which it is being asked to give back more is answered after its answer")
    func acquisitionDuringRecall() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let inode = try a.create("f").attributes.inode
        let change = b.chmod(inode, 0o600)
        let pin = a.acquire(inode, .pin)
        #expect(harness.status(pin) == nil)
        try a.answerRecall()
        #expect(harness.status(change) == .ok)
        #expect(try harness.reply(pin, as: EntryReply.self).grant.mode == .pin)
    }

    @Test("leases that are waited for are given in the order of asking")
    func acquisitionIsFair() throws {
        let harness = try CoordinatorHarness()
        let clients = try (0..<4).map { _ in try CoordinatorClient(harness) }
        let inode = try clients[0].create("f", opensForWriting: true).attributes.inode
        let requests = clients[1...].map { $0.acquire(inode, .write) }
        for turn in 0..<3 {
            #expect(requests.map { harness.status($0) != nil } == (0..<3).map { $0 < turn })
            try clients[turn].answerRecall()
        }
        #expect(requests.allSatisfy { harness.status($0) == .ok })
    }

    @Test("a stat of a file that another mount writes shows the writer's size and takes nothing away")
    func glimpse() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        let first = b.getAttributes(inode)
        let asked = try #require(a.takeGlimpses().first)
        #expect(asked.glimpse == GlimpseRequest(inode: inode, sequence: created.grant.sequence))
        // Arrives after the question left: the answer to it may be too old for this one.
        let second = b.lookup("f")
        #expect(a.takeGlimpses().isEmpty)
        let early = GlimpseReply(size: 5, modifyTime: Timestamp(seconds: 9), changeTime: Timestamp(seconds: 9))
        harness.answer(asked.question, early)
        let shown = try harness.reply(first, as: EntryReply.self)
        #expect(shown.attributes.size == 5)
        #expect(shown.attributes.modifyTime == Timestamp(seconds: 9))
        #expect(shown.grant == .none)
        #expect(harness.status(second) == nil)
        let again = try #require(a.takeGlimpses().first)
        harness.answer(again.question, GlimpseReply(size: 6, modifyTime: Timestamp(), changeTime: Timestamp()))
        #expect(try harness.reply(second, as: LookupReply.self).found?.attributes.size == 6)
        #expect(try a.granted(inode, .write) == created.grant)
    }

    @Test("a writer that says it is idle gives its lease up to readers, and who looks next gets one")
    func idleWriter() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        let first = b.getAttributes(inode)
        let asked = try #require(a.takeGlimpses().first)
        #expect(a.takeRecalls().isEmpty)
        harness.answer(
            asked.question, GlimpseReply(size: 0, modifyTime: Timestamp(), changeTime: Timestamp(), isIdle: true))
        #expect(try harness.reply(first, as: EntryReply.self).grant == .none)
        let recalled = try #require(a.takeRecalls().first)
        #expect(recalled.recall == RecallRequest(inode: inode, sequence: created.grant.sequence, mode: .read))
        harness.answer(recalled.question, RecallReply(remaining: .read))
        #expect(try harness.reply(b.getAttributes(inode), as: EntryReply.self).grant.mode == .read)
        #expect(try a.granted(inode, .read).sequence == created.grant.sequence)
    }

    @Test("a stat that waits for a writer's answer goes on when the writer gives its lease back instead")
    func glimpseIsOvertaken() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        let stat = b.getAttributes(inode)
        _ = try harness.reply(a.commit(inode, created.grant, size: 3, reserved: 3), as: EntryReply.self)
        a.release(inode, created.grant)
        let shown = try harness.reply(stat, as: EntryReply.self)
        #expect(shown.attributes.size == 3)
        #expect(shown.grant.mode == .read)
    }

    @Test("the flush of a lease that is being recalled is accepted; one under a lease that has gone is refused")
    func commitUnderRecall() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        let read = b.acquire(inode, .read)
        #expect(harness.status(a.commit(inode, created.grant, size: 10, reserved: 10)) == .ok)
        try a.answerRecall(keeping: .read)
        #expect(try harness.reply(read, as: EntryReply.self).attributes.size == 10)
        #expect(harness.status(a.commit(inode, created.grant, size: 20, reserved: 20)) == .staleLease)
        try b.granted(inode, .write, recalling: a)
        let renewed = try a.granted(inode, .write, recalling: b)
        #expect(harness.status(a.commit(inode, created.grant, size: 20, reserved: 20)) == .staleLease)
        #expect(harness.status(a.commit(inode, renewed, size: 20, reserved: 20)) == .ok)
    }

    @Test("a release that crosses a recall does its work; the recall's answer then changes nothing")
    func releaseCrossesRecall() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f")
        let inode = created.attributes.inode
        let change = b.chmod(inode, 0o600)
        let recall = try a.takeRecall()
        a.release(inode, created.grant)
        #expect(harness.status(change) == .ok)
        b.release(inode, try harness.reply(change, as: EntryReply.self).grant)
        let renewed = try a.granted(inode, .write)
        harness.answer(recall.question, RecallReply(remaining: .none))
        #expect(try a.granted(inode, .write) == renewed)
        // Nor does a release of a sequence that is no longer held.
        a.release(inode, created.grant)
        #expect(try a.granted(inode, .write) == renewed)
    }

    @Test("the length of a file is set under its write lease only; an emptying needs none")
    func lengthNeedsWriteLease() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        _ = try harness.reply(a.commit(inode, created.grant, size: 10, reserved: 10), as: EntryReply.self)
        #expect(harness.status(b.resize(inode, to: 5)) == .staleLease)
        #expect(harness.status(a.resize(inode, to: 5)) == .ok)
        let empty = b.resize(inode, to: 0)
        try a.answerRecall()
        #expect(try harness.reply(empty, as: EntryReply.self).attributes.size == 0)
    }

    @Test("a writer learns that the one before it may have left bytes past the end, and only then")
    func uncleanTail() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let created = try a.create("f", opensForWriting: true)
        let inode = created.attributes.inode
        #expect(!created.grant.tailUnclean)
        #expect(created.attributes.reservedSize > created.attributes.size)
        let unclean = try b.granted(inode, .write, recalling: a)
        #expect(unclean.tailUnclean)
        // It may not have heard: the grant says so until a commit.
        #expect(try b.granted(inode, .write) == unclean)
        #expect(harness.status(b.commit(inode, unclean, size: 7, reserved: 7)) == .ok)
        #expect(try !a.granted(inode, .write, recalling: b).tailUnclean)
    }

    @Test("a listing shows no attributes of what another session is writing, and grants the rest")
    func listing() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let written = try a.create("written", opensForWriting: true).attributes.inode
        let calm = try a.create("calm").attributes.inode
        let message = ReadDirectoryRequest(
            caller: b.reader, inode: .root, after: 0, before: 0, limit: 10, withAttributes: true)
        let listing = try harness.reply(b.send(.readDirectory, message), as: ReadDirectoryReply.self)
        let entries = Dictionary(uniqueKeysWithValues: listing.entries.map { ($0.inode, $0) })
        #expect(entries[written]?.attributes == nil)
        #expect(entries[written]?.grant == Grant.none)
        #expect(entries[calm]?.attributes != nil)
        #expect(entries[calm]?.grant.mode == .read)
    }
}

extension Grant {
    fileprivate func lowered(to mode: LeaseMode) -> Grant {
        var grant = self
        grant.mode = mode
        return grant
    }
}

extension CoordinatorClient {
    /// What it holds, as a claim of a session that lost the grant would find it.
    fileprivate func claimed(_ inode: InodeID) throws -> Grant {
        let holder = try #require(harness.core.lease(of: session, on: inode))
        return Grant(mode: holder.mode, sequence: holder.sequence)
    }

    /// The lease, with everybody else's answer to the recalls that it takes.
    @discardableResult
    fileprivate func granted(_ inode: InodeID, _ mode: LeaseMode, recalling other: CoordinatorClient) throws -> Grant {
        let request = acquire(inode, mode)
        for recall in other.takeRecalls() { harness.answer(recall.question, RecallReply(remaining: .none)) }
        return try harness.reply(request, as: EntryReply.self).grant
    }

    fileprivate func resize(_ inode: InodeID, to size: UInt64) -> RequestID {
        var change = AttributeChange()
        change.size = size
        return send(.setAttributes, SetAttributesRequest(caller: nextChange(), inode: inode, change: change))
    }
}
