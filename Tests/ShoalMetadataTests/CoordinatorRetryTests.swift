import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Coordinator: retries")
struct CoordinatorRetryTests {
    @Test("a change that was executed is not executed again: the retry is told what came of it")
    func retryOfExecuted() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        var message = a.creation("f")
        let first = try harness.reply(a.send(.create, message), as: EntryReply.self)
        a.reconnect()
        a.reclaim()
        message.caller.isRetry = true
        let second = try harness.reply(a.send(.create, message), as: EntryReply.self)
        #expect(second.attributes.inode == first.attributes.inode)
        #expect(second.parent == first.parent)
        #expect(second.grant.mode == .read)
        // The same without the mark is a second attempt.
        message.caller = a.nextChange()
        #expect(harness.status(a.send(.create, message)) == .failed(.exists))
    }

    @Test("a retry after a restart of the server is told what came of the first")
    func retryAfterRestart() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        _ = try a.create("f")
        var message = NameRequest(caller: a.nextChange(), parent: .root, name: fileName("f"))
        let first = try harness.reply(a.send(.unlink, message), as: RemovalReply.self)
        try harness.restart()
        a.reconnect()
        a.reclaim()
        message.caller.isRetry = true
        let second = try harness.reply(a.send(.unlink, message), as: RemovalReply.self)
        #expect(second.removed.inode == first.removed.inode)
    }

    @Test("a retry is told the attributes and leases of now, not those of the first execution")
    func retryIsUpToDate() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        var message = a.creation("f", opensForWriting: true)
        let inode = try harness.reply(a.send(.create, message), as: EntryReply.self).attributes.inode
        a.reconnect()
        a.reclaim()
        #expect(harness.status(b.chmod(inode, 0o611)) == .ok)
        _ = try b.granted(inode, .write)
        message.caller.isRetry = true
        let again = try harness.reply(a.send(.create, message), as: EntryReply.self)
        #expect(again.attributes.permissions == 0o611)
        #expect(again.grant == .none)
    }

    @Test("the retry of a change that still waits takes its place")
    func retryOfWaiting() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        _ = try b.create("other")
        var message = a.creation("f")
        let first = a.send(.create, message)
        #expect(harness.status(first) == nil)
        message.caller.isRetry = true
        let second = a.send(.create, message)
        #expect(harness.status(first) == .notReady)
        try b.answerRecall()
        #expect(harness.status(second) == .ok)
        #expect(harness.core.waitingCount == 0)
    }

    @Test("a change that waits when its connection is lost has not happened; its retry does it once")
    func waitingIsDropped() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let other = try b.create("other")
        var message = a.creation("f")
        a.send(.create, message)
        harness.disconnect(a.connection)
        #expect(harness.core.waitingCount == 0)
        try b.answerRecall()
        a.reconnect()
        a.reclaim()
        message.caller.isRetry = true
        #expect(
            try harness.reply(a.send(.create, message), as: EntryReply.self).attributes.inode > other.attributes.inode)
    }

    @Test("a retry that comes after 256 further changes is refused, not executed")
    func forgottenRetry() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        var message = a.creation("f")
        a.send(.create, message)
        for _ in 0..<256 { a.send(.create, a.creation("g")); _ = a.unlink("g") }
        message.caller.isRetry = true
        #expect(harness.status(a.send(.create, message)) == .failed(.inputOutput))
    }

    @Test("a request that does not decode, or that no client may send, is refused")
    func badRequests() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        #expect(harness.status(a.send(.lookup, Empty())) == .badRequest)
        #expect(harness.status(a.send(.writeChunk, Empty())) == .badRequest)
        #expect(harness.status(a.acquire(.root, .write)) == .failed(.invalidArgument))
        #expect(harness.status(a.acquire(InodeID(999), .read)) == .failed(.notFound))
        let stranger = Caller(session: SessionID(999))
        #expect(harness.status(a.send(.getAttributes, InodeRequest(caller: stranger, inode: .root))) == .unknownSession)
    }

    @Test("a retry of a removal or rename is told the attributes of now, of what is still there")
    func retryOfRemoval() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let file = try a.create("f")
        var message = RenameRequest()
        message.caller = a.nextChange()
        message.parent = .root
        message.name = fileName("f")
        message.newParent = .root
        message.newName = fileName("g")
        let first = try harness.reply(a.send(.rename, message), as: RemovalReply.self)
        #expect(first.changed.map(\.inode) == [.root, file.attributes.inode])
        let unlink = NameRequest(
            caller: a.nextChange(), parent: .root, name: fileName("g"), unused: file.attributes.inode)
        let second = try harness.reply(a.send(.unlink, unlink), as: RemovalReply.self)
        message.caller.isRetry = true
        let again = try harness.reply(a.send(.rename, message), as: RemovalReply.self)
        #expect(again.changed == second.changed)
    }
}
