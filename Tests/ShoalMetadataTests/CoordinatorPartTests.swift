import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: leases of parts")
struct CoordinatorPartTests {
    /// A file of ten chunks, which `a` has written and may write.
    private struct World {
        let harness: CoordinatorHarness
        let a: CoordinatorClient
        let b: CoordinatorClient
        let inode: InodeID

        init() throws {
            harness = try CoordinatorHarness()
            a = try CoordinatorClient(harness)
            b = try CoordinatorClient(harness)
            let created = try a.create("f", opensForWriting: true)
            inode = created.attributes.inode
            let size = UInt64(10) << 22
            #expect(harness.status(a.commit(inode, created.grant, size: size, reserved: size)) == .ok)
        }

        /// What the request brings when everybody who is asked has given back all but a pin.
        func granted(_ request: RequestID) throws -> Grant {
            while harness.status(request) == nil {
                let asked = [a, b].flatMap { $0.takeRecalls() }
                try #require(!asked.isEmpty, "nobody is asked")
                for (question, _) in asked { harness.answer(question, RecallReply(remaining: .pin)) }
            }
            return try harness.reply(request, as: EntryReply.self).grant
        }

        func chunks(_ range: Range<UInt32>) -> LeaseExtent {
            LeaseExtent(first: range.lowerBound, end: range.upperBound)
        }

        /// `a` has the first five chunks, `b` the rest.
        func divide() throws -> (Grant, Grant) {
            _ = try granted(b.acquire(inode, .write, chunks(5..<6)))
            let first = try granted(a.acquire(inode, .write, chunks(0..<1)))
            return (first, try granted(b.acquire(inode, .write, chunks(5..<6))))
        }
    }

    @Test("two sessions that ask for different chunks are each given a part, up to where the other's begins")
    func divided() throws {
        let world = try World()
        let (ofA, ofB) = try world.divide()
        #expect(ofA.mode == .part)
        #expect(ofA.extent == world.chunks(0..<5))
        #expect(ofB.mode == .part)
        #expect(ofB.extent == LeaseExtent(first: 5, end: .max))
        // Within them nothing is asked of anybody.
        let again = world.a.acquire(world.inode, .write, world.chunks(3..<5))
        #expect(try world.harness.reply(again, as: EntryReply.self).grant == ofA)
        #expect(world.b.takeRecalls().isEmpty)
        world.harness.core.checkInvariants()
    }

    @Test("a part that has an end lies below the size that the server knows")
    func belowTheEnd() throws {
        let world = try World()
        _ = try world.granted(world.b.acquire(world.inode, .write, world.chunks(50..<51)))
        let ofA = try world.granted(world.a.acquire(world.inode, .write, world.chunks(0..<1)))
        #expect(ofA.extent == world.chunks(0..<10))
        let ofB = try world.granted(world.b.acquire(world.inode, .write, world.chunks(50..<51)))
        #expect(ofB.extent == LeaseExtent(first: 10, end: .max))
        // Past it is the other's, who decides how long the file is.
        let past = world.a.acquire(world.inode, .write, world.chunks(10..<11))
        #expect(try world.granted(past).extent.hasNoEnd)
    }

    @Test("sessions that ask for the same chunk are given the file in turn, whole")
    func same() throws {
        let world = try World()
        for _ in 0..<3 {
            #expect(try world.granted(world.b.acquire(world.inode, .write, world.chunks(0..<2))).mode == .write)
            #expect(try world.granted(world.a.acquire(world.inode, .write, world.chunks(1..<2))).mode == .write)
        }
    }

    @Test("when nobody else has asked for a while, the file is one again")
    func reunited() throws {
        let world = try World()
        _ = try world.divide()
        world.a.live(for: .seconds(11), with: [world.b])
        let ofA = try world.granted(world.a.acquire(world.inode, .write, world.chunks(7..<8)))
        #expect(ofA.mode == .write)
    }

    @Test("who reads the whole file takes the parts back; what is asked of its attributes takes nothing")
    func readers() throws {
        let world = try World()
        let c = try CoordinatorClient(world.harness)
        _ = try world.divide()
        let question = c.getAttributes(world.inode)
        for (client, size) in [(world.a, UInt64(5) << 22), (world.b, UInt64(11) << 22)] {
            let glimpses = client.takeGlimpses()
            #expect(glimpses.count == 1)
            let answer = GlimpseReply(
                size: size, modifyTime: Timestamp(seconds: Int64(size)), changeTime: Timestamp(seconds: 3))
            world.harness.answer(try #require(glimpses.first).question, answer)
        }
        let seen = try world.harness.reply(question, as: EntryReply.self)
        #expect(seen.attributes.size == 11 << 22)
        #expect(seen.attributes.modifyTime == Timestamp(seconds: 11 << 22))
        #expect(seen.grant == .none || seen.grant.mode == .pin)
        let read = c.acquire(world.inode, .read)
        #expect(try world.granted(read).mode == .read)
        world.harness.core.checkInvariants()
    }

    @Test(
        "who reads the whole file, and whose kernel may show what it is like, gives that up before it is given a part")
    func readerBecomesWriter() throws {
        let world = try World()
        _ = try world.divide()
        #expect(try world.granted(world.a.acquire(world.inode, .read)).mode == .read)
        let write = world.a.acquire(world.inode, .write, world.chunks(0..<1))
        #expect(world.harness.status(write) == nil)
        let (question, recall) = try world.a.takeRecall()
        #expect(recall.mode == .pin)
        world.harness.answer(question, RecallReply(remaining: .pin))
        #expect(try world.harness.reply(write, as: EntryReply.self).grant.mode == .part)
    }

    @Test("a commit of a part that has an end does not touch the length, and counts what has changed")
    func commits() throws {
        let world = try World()
        let (ofA, ofB) = try world.divide()
        func commit(_ client: CoordinatorClient, _ grant: Grant, size: UInt64, blocks: UInt64) throws {
            var commit = WriteCommit()
            commit.inode = world.inode
            commit.sequence = grant.sequence
            commit.size = size
            commit.reservedSize = size
            commit.neededSize = size
            commit.allocatedBytes = blocks * 4096
            commit.modifyTime = Timestamp(seconds: 100)
            let request = client.send(
                .commitWrites, CommitWritesRequest(caller: client.reader, commits: [commit]))
            let outcome = try world.harness.reply(request, as: CommitWritesReply.self).outcomes
            #expect(outcome.map(\.status) == [.ok])
        }
        try commit(world.b, ofB, size: 20 << 22, blocks: 30)
        try commit(world.a, ofA, size: 5 << 22, blocks: 4)
        // Sent twice, counted once.
        try commit(world.a, ofA, size: 5 << 22, blocks: 4)
        try commit(world.a, ofA, size: 5 << 22, blocks: 6)
        let c = try CoordinatorClient(world.harness)
        let attributes = try world.harness.reply(c.acquire(world.inode, .pin), as: EntryReply.self).attributes
        #expect(attributes.size == 20 << 22)
        #expect(attributes.allocatedBytes == 36 * 4096)
    }

    @Test("claims of parts that overlap after a restart are not both accepted, nor one beside a reader")
    func claims() throws {
        let world = try World()
        let (ofA, ofB) = try world.divide()
        try world.harness.restart()
        world.a.reconnect()
        world.b.reconnect()
        #expect(world.harness.status(world.a.reclaim([(world.inode, ofA)])) == .ok)
        var overlapping = ofB
        overlapping.extent.first = 4
        #expect(world.harness.status(world.b.reclaim([(world.inode, overlapping)])) == .unknownSession)
        world.harness.core.checkInvariants()
    }

    @Test("nothing becomes a part by being given back, claimed or asked for as one")
    func nonsense() throws {
        let world = try World()
        let inode = try world.a.create("g", opensForWriting: true)
        world.a.release(inode.attributes.inode, inode.grant, to: .part)
        #expect(world.harness.core.lease(of: world.a.session, on: inode.attributes.inode)?.mode == .pin)
        #expect(world.harness.status(world.b.acquire(world.inode, .part)) == .failed(.invalidArgument))
        let nothing = world.b.acquire(world.inode, .write, LeaseExtent(first: 3, end: 3))
        #expect(world.harness.status(nothing) == .failed(.invalidArgument))
        world.harness.core.checkInvariants()
    }
}
