import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

@Suite("Commits of many files")
struct CoordinatorCommitTests {
    @Test("commits of many files are one batch, and one whose lease has gone takes no other down")
    func commitWrites() throws {
        let harness = try CoordinatorHarness()
        let (a, b) = (try CoordinatorClient(harness), try CoordinatorClient(harness))
        let files = try ["f", "g", "h"].map { try a.create($0, opensForWriting: true) }
        a.release(files[1].attributes.inode, files[1].grant)
        var commits = files.map { file in
            var commit = WriteCommit()
            commit.inode = file.attributes.inode
            commit.sequence = file.grant.sequence
            commit.size = 100
            commit.reservedSize = 4096
            commit.neededSize = 4096
            return commit
        }
        commits[2].reservedSize = 50
        let message = CommitWritesRequest(caller: a.reader, commits: commits)
        for _ in 0..<2 {
            let reply = try harness.reply(a.send(.commitWrites, message), as: CommitWritesReply.self)
            #expect(reply.outcomes.map(\.status) == [.ok, .staleLease, .failed(.invalidArgument)])
            #expect(reply.outcomes[0].data == files[0].attributes.data)
            #expect(reply.outcomes[0].reservedSize == 4096)
        }
        for file in files { a.release(file.attributes.inode, file.grant) }
        let sizes = try files.map {
            try harness.reply(b.getAttributes($0.attributes.inode), as: EntryReply.self).attributes.size
        }
        #expect(sizes == [100, 0, 0])
    }

    @Test("files in quota trees share a message and not their fate: each finds the room that those before it left")
    func commitWritesInQuotaTree() throws {
        let harness = try CoordinatorHarness()
        let a = try CoordinatorClient(harness)
        let top = try a.create("top", kind: .directory).attributes.inode
        let quota = SetQuotaRequest(caller: a.nextChange(), inode: top, bytes: 10_000, inodes: nil)
        #expect(harness.status(a.send(.setQuota, quota)) == .ok)
        let inside = try ["f", "g", "h"].map { try a.create($0, in: top, opensForWriting: true) }
        let files = inside + [try a.create("outside", opensForWriting: true)]
        let commits = files.map { file in
            var commit = WriteCommit()
            commit.inode = file.attributes.inode
            commit.sequence = file.grant.sequence
            commit.reservedSize = 1 << 20
            commit.neededSize = 4000
            return commit
        }
        for _ in 0..<2 {
            let request = a.send(.commitWrites, CommitWritesRequest(caller: a.reader, commits: commits))
            let reply = try harness.reply(request, as: CommitWritesReply.self)
            #expect(reply.outcomes.map(\.status) == [.ok, .ok, .failed(.quota), .ok])
            // What is needed and a 64th of the rest.
            #expect((4000..<4100).contains(reply.outcomes[0].reservedSize))
            #expect((4000..<4100).contains(reply.outcomes[1].reservedSize))
            #expect(reply.outcomes[2].reservedSize == 0)
            #expect(reply.outcomes[3].reservedSize == 1 << 20)
            let list = a.send(.listQuotas, QuotaListRequest(caller: a.reader, inode: top))
            let used = try harness.reply(list, as: QuotaListReply.self).entries.map(\.used.bytes)
            #expect(used == [reply.outcomes[0].reservedSize + reply.outcomes[1].reservedSize])
        }
        try harness.core.namespace.checkInvariants()
    }
}
