import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: the limit of leases")
struct CoordinatorLeaseLimitTests {
    private var limits: CoordinatorLimits {
        var limits = CoordinatorLimits.production
        limits.leasesPerSessionMax = 64
        limits.coldRecallsInFlightMax = 4
        return limits
    }

    @Test("near its limit a session is asked for its oldest leases, and at it is given none")
    func leaseLimit() throws {
        let harness = try CoordinatorHarness(limits: limits)
        let a = try CoordinatorClient(harness)
        var inodes: [InodeID] = []
        for number in 0..<70 { inodes.append(try a.create("f\(number)").attributes.inode) }
        let recalls = a.takeRecalls()
        #expect(recalls.count == 4)
        // The root's lease is the oldest.
        #expect(recalls.first?.recall.inode == .root || recalls.first?.recall.inode == inodes[0])
        #expect(recalls.allSatisfy { $0.recall.mode == .pin })
        #expect(try harness.reply(a.getAttributes(inodes[69]), as: EntryReply.self).grant == .none)
        for recall in recalls { harness.answer(recall.question, RecallReply(remaining: .none)) }
        #expect(harness.core.leaseCount(of: a.session) <= 64)
    }

    @Test("no reply that repeats a lease leaves after the recall of that lease")
    func recallAfterReply() throws {
        let harness = try CoordinatorHarness(limits: limits)
        let a = try CoordinatorClient(harness)
        let creations = (0..<60).map { a.send(.create, a.creation("f\($0)")) }
        let recall = try #require(a.takeRecalls().first { $0.recall.inode == .root })
        let asked = try #require(harness.sent.firstIndex(of: .question(recall.question)))
        for creation in creations {
            let answered = try #require(harness.sent.firstIndex(of: .reply(creation)))
            let grant = try harness.reply(creation, as: EntryReply.self).parentGrant
            #expect(grant.mode == .none || answered < asked)
        }
    }
}
