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
            return commit
        }
        commits[2].reservedSize = 50
        let message = CommitWritesRequest(caller: a.reader, commits: commits)
        for _ in 0..<2 {
            let reply = try harness.reply(a.send(.commitWrites, message), as: CommitWritesReply.self)
            #expect(reply.outcomes.map(\.status) == [.ok, .staleLease, .failed(.invalidArgument)])
            #expect(reply.outcomes[0].data == files[0].attributes.data)
        }
        for file in files { a.release(file.attributes.inode, file.grant) }
        let sizes = try files.map {
            try harness.reply(b.getAttributes($0.attributes.inode), as: EntryReply.self).attributes.size
        }
        #expect(sizes == [100, 0, 0])
    }
}
