import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: quotas and the trash")
struct CoordinatorUpkeepTests {
    private func setQuota(
        _ client: CoordinatorClient, _ directory: InodeID, bytes: UInt64? = nil, inodes: UInt64? = nil
    ) throws -> QuotaEntry {
        let request = SetQuotaRequest(caller: client.nextChange(), inode: directory, bytes: bytes, inodes: inodes)
        let reply = try client.harness.reply(client.send(.setQuota, request), as: QuotaListReply.self)
        return try #require(reply.entries.first)
    }

    private func quotas(_ client: CoordinatorClient, of inode: InodeID = InodeID(0)) throws -> [QuotaEntry] {
        let request = QuotaListRequest(caller: client.reader, inode: inode)
        return try client.harness.reply(client.send(.listQuotas, request), as: QuotaListReply.self).entries
    }

    private func trash(_ client: CoordinatorClient) throws -> ListTrashReply {
        try client.harness.reply(
            client.send(.listTrash, ListTrashRequest(caller: client.reader, after: TrashPlace())))
    }

    private func turnTrashOn(_ client: CoordinatorClient, keepSeconds: UInt64) {
        let request = client.send(.setTrash, SetTrashRequest(caller: client.nextChange(), keepSeconds: keepSeconds))
        #expect(client.harness.status(request) == .ok)
    }

    @Test("a refused creation and a refused reservation are answered with EDQUOT and change nothing")
    func refusals() throws {
        let harness = try CoordinatorHarness()
        let client = try CoordinatorClient(harness)
        let top = try client.create("top", kind: .directory).attributes.inode
        #expect(try setQuota(client, top, bytes: 100, inodes: 1).state == .active)
        let file = try client.create("f", in: top, opensForWriting: true)
        #expect(file.attributes.reservedSize == 0)
        let refused = client.send(.create, client.creation("g", in: top))
        #expect(harness.status(refused) == .failed(.quota))
        let inode = file.attributes.inode
        #expect(harness.status(client.commit(inode, file.grant, size: 0, reserved: 101)) == .failed(.quota))
        #expect(harness.status(client.commit(inode, file.grant, size: 100, reserved: 100)) == .ok)
        #expect(harness.status(client.getAttributes(inode)) == .ok)
        #expect(try quotas(client).map(\.used) == [QuotaAmount(bytes: 100, inodes: 1)])
    }

    @Test("counting goes on by itself over a restart, and takes back what was reserved while nobody counted")
    func counting() throws {
        var limits = CoordinatorLimits()
        limits.quotaInodesPerTick = 16
        limits.quotaInodesPerBatch = 8
        // The request itself counts 16.
        let harness = try CoordinatorHarness(limits: limits)
        let client = try CoordinatorClient(harness)
        let top = try client.create("top", kind: .directory).attributes.inode
        for index in 0..<200 { _ = try client.create("f\(index)", in: top) }
        let open = try client.create("open", in: top, opensForWriting: true)
        #expect(try setQuota(client, top, inodes: 1).state == .counting)
        harness.advance(by: .milliseconds(300))
        #expect(try quotas(client).map(\.state) == [.counting])
        try harness.restart()
        client.reconnect()
        client.reclaim([(open.attributes.inode, open.grant)])
        client.live(for: .seconds(5))
        #expect(try quotas(client).map(\.state) == [.active])
        #expect(try quotas(client).map(\.used.inodes) == [201])
        #expect(try quotas(client).map(\.used.bytes) == [4 << 20])
        let recall = try client.takeRecall()
        #expect(recall.recall.inode == open.attributes.inode)
        #expect(harness.status(client.commit(open.attributes.inode, open.grant, size: 3, reserved: 3)) == .ok)
        harness.answer(recall.question, RecallReply(remaining: .read))
        #expect(try quotas(client, of: top).map(\.used.bytes) == [3])
        try harness.core.namespace.checkInvariants()
        let removal = client.send(.removeQuota, InodeRequest(caller: client.nextChange(), inode: top))
        #expect(harness.status(removal) == .ok)
        harness.advance(by: .seconds(2))
        #expect(try quotas(client).isEmpty)
        #expect(try harness.count(.quotaWalk) == 0)
        try harness.core.namespace.checkInvariants()
    }

    @Test("a file in the trash goes when its time has come, over a restart, and its hour's directory with it")
    func expiry() throws {
        let harness = try CoordinatorHarness()
        let client = try CoordinatorClient(harness)
        turnTrashOn(client, keepSeconds: 4)
        let file = try client.create("f")
        #expect(harness.status(client.unlink("f")) == .ok)
        #expect(try trash(client).items.map(\.place.inode) == [file.attributes.inode])
        #expect(try harness.count(.orphan) == 0)
        try harness.restart()
        client.reconnect()
        client.reclaim()
        client.live(for: .seconds(2))
        #expect(try trash(client).items.count == 1)
        client.live(for: .seconds(4))
        #expect(try trash(client).items.isEmpty)
        #expect(try harness.count(.trash) == 1)
        #expect(harness.status(client.getAttributes(file.attributes.inode)) == .failed(.notFound))
        harness.freeze(for: .seconds(3600))
        client.live(for: .seconds(3))
        // The root, the trash, the hour.
        #expect(try harness.count(.inode) == 3)
        try harness.core.namespace.checkInvariants()
    }

    @Test("leases on the file and its directory are asked back before it goes, and who has it open keeps it")
    func expiryWaits() throws {
        let harness = try CoordinatorHarness()
        let client = try CoordinatorClient(harness)
        turnTrashOn(client, keepSeconds: 2)
        let file = try client.create("f", opensForWriting: true)
        let inode = file.attributes.inode
        #expect(harness.status(client.unlink("f")) == .ok)
        let item = try #require(try trash(client).items.first)
        _ = client.lookup("\(item.name)", in: item.directory)
        client.live(for: .seconds(3))
        #expect(harness.status(client.getAttributes(inode)) != .failed(.notFound))
        for recall in client.takeRecalls() {
            harness.answer(recall.question, RecallReply(remaining: recall.recall.inode == inode ? .pin : .none))
        }
        #expect(try harness.count(.orphan) == 1)
        #expect(try harness.count(.trash) == 1)
        client.release(inode, try client.granted(inode, .pin))
        #expect(try harness.count(.orphan) == 0)
        try harness.core.namespace.checkInvariants()
    }

    @Test("the list of the trash asks writers how long their files are")
    func listedSizes() throws {
        let harness = try CoordinatorHarness()
        let (client, other) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        turnTrashOn(client, keepSeconds: 60)
        let file = try client.create("f", opensForWriting: true)
        #expect(harness.status(client.unlink("f")) == .ok)
        let list = other.send(.listTrash, ListTrashRequest(caller: other.reader, after: TrashPlace()))
        let asked = try #require(client.takeGlimpses().first)
        #expect(asked.glimpse.inode == file.attributes.inode)
        harness.answer(asked.question, GlimpseReply(size: 77, modifyTime: Timestamp(), changeTime: Timestamp()))
        #expect(try harness.reply(list, as: ListTrashReply.self).items.map(\.size) == [77])
    }
}
