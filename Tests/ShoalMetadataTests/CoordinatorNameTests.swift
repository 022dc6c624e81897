import ShoalMetadata
import ShoalTypes
import ShoalWire
import Testing

/// Names that sessions keep while others in the same directory change.
@Suite("Coordinator: names")
struct CoordinatorNameTests {
    private let harness: CoordinatorHarness
    private let a: CoordinatorClient
    private let b: CoordinatorClient
    private let c: CoordinatorClient

    init() throws {
        harness = try CoordinatorHarness()
        (a, b, c) = (try CoordinatorClient(harness), try CoordinatorClient(harness), try CoordinatorClient(harness))
    }

    private func read(_ client: CoordinatorClient, _ inode: InodeID = .root) throws -> Grant {
        try harness.reply(client.getAttributes(inode), as: EntryReply.self).grant
    }

    private func rename(_ client: CoordinatorClient, _ name: String, to newName: String) -> RequestID {
        var message = RenameRequest()
        message.caller = client.nextChange()
        (message.parent, message.newParent) = (.root, .root)
        (message.name, message.newName) = (fileName(name), fileName(newName))
        return client.send(.rename, message)
    }

    @Test("a name that changes is asked of everybody who holds names of its directory, each time; the others stay")
    func asked() throws {
        let grant = try read(a)
        #expect(grant.mode == .read)
        for name in ["x", "y"] {
            let request = b.send(.create, b.creation(name))
            let (question, recall) = try a.takeRecall()
            let names = [fileName(name)]
            #expect(
                recall == RecallRequest(inode: .root, sequence: grant.sequence, mode: .names, names: names))
            #expect(harness.status(request) == nil)
            harness.answer(question, RecallReply(remaining: .names))
            #expect(harness.status(request) == .ok)
        }
        // Attributes that change are of no interest to who holds names only.
        #expect(harness.status(b.chmod(.root, 0o711)) == .ok)
        #expect(a.takeRecalls().isEmpty)
        // It may read again, under a lease that is told apart from the earlier one.
        let again = try read(a)
        #expect(again.mode == .read)
        #expect(again.sequence > grant.sequence)
    }

    @Test("while a change waits, nobody is given a lease to learn the name under")
    func notLearned() throws {
        _ = try read(a)
        _ = try read(c)
        let change = b.send(.create, b.creation("x"))
        harness.answer(try a.takeRecall().question, RecallReply(remaining: .names))
        #expect(harness.status(change) == nil)
        #expect(try harness.reply(a.lookup("x"), as: LookupReply.self).parentGrant.mode == .none)
        #expect(try read(a).mode == .none)
        harness.answer(try c.takeRecall().question, RecallReply(remaining: .none))
        #expect(harness.status(change) == .ok)
        #expect(try read(a).mode == .read)
    }

    @Test("who keeps more than was asked for has not forgotten the name")
    func disobedience() throws {
        _ = try read(a)
        let change = b.send(.create, b.creation("x"))
        harness.answer(try a.takeRecall().question, RecallReply(remaining: .read))
        #expect(harness.status(change) == nil)
        b.live(for: .seconds(1), with: [a])
        harness.answer(try a.takeRecall().question, RecallReply(remaining: .names))
        #expect(harness.status(change) == .ok)
    }

    @Test("who renames something to a name that it has forgotten for somebody who still waits is asked again")
    func renamedMeanwhile() throws {
        _ = try a.create("n")
        let creation = b.send(.create, b.creation("m", opensForWriting: true))
        harness.answer(try a.takeRecall().question, RecallReply(remaining: .none))
        let moved = try harness.reply(creation, as: EntryReply.self).attributes.inode
        _ = try read(a)
        // What c is to do waits for b to write back, and for a to forget x.
        let waiting = rename(c, "m", to: "x")
        let ofA = try a.takeRecall()
        #expect(ofA.recall.names == [fileName("m"), fileName("x")])
        harness.answer(ofA.question, RecallReply(remaining: .names))
        var writer: QuestionID?
        for (question, recall) in b.takeRecalls() {
            if recall.inode == moved {
                writer = question
            } else {
                harness.answer(question, RecallReply(remaining: .none))
            }
        }
        #expect(harness.status(waiting) == nil)
        #expect(harness.status(rename(a, "n", to: "x")) == .ok)
        harness.answer(try #require(writer), RecallReply(remaining: .none))
        #expect(harness.status(waiting) == nil, "a's kernel may know x by the name that n had")
        let recalls = a.takeRecalls()
        #expect(recalls.contains { $0.recall.inode == .root && $0.recall.names.contains(fileName("x")) })
        for (question, recall) in recalls {
            harness.answer(question, RecallReply(remaining: min(recall.mode, recall.inode == .root ? .names : .none)))
        }
        #expect(harness.status(waiting) == .ok)
    }

    @Test(
        "who has forgotten a name for somebody who still waits, and is then given a lease asked for before, is asked again"
    )
    func grantedMeanwhile() throws {
        _ = try read(a)
        _ = try read(c)
        let chmod = b.chmod(.root, 0o711)
        harness.answer(try a.takeRecall().question, RecallReply(remaining: .names))
        let acquisition = a.acquire(.root, .read)
        let creations = ["z", "y"].map { name in
            let request = b.send(.create, b.creation(name))
            if let recall = try? a.takeRecall() { harness.answer(recall.question, RecallReply(remaining: .names)) }
            return request
        }
        harness.answer(try c.takeRecall().question, RecallReply(remaining: .names))
        #expect(harness.status(chmod) == .ok)
        #expect(harness.status(acquisition) == .ok)
        // What it learns now goes with the next recall only if that names it.
        #expect(try harness.reply(a.lookup("y"), as: LookupReply.self).found == nil)
        for name in ["z", "y"] {
            let ofA = try a.takeRecall()
            #expect(ofA.recall.names == [fileName(name)])
            harness.answer(ofA.question, RecallReply(remaining: .names))
            harness.answer(try c.takeRecall().question, RecallReply(remaining: .names))
        }
        for creation in creations { #expect(harness.status(creation) == .ok) }
    }

    @Test("a name in the trash is not known before: whoever holds names of its directory gives them all back")
    func trash() throws {
        #expect(harness.status(c.send(.setTrash, SetTrashRequest(caller: c.nextChange(), keepSeconds: 60))) == .ok)
        _ = try c.create("f")
        let root = try harness.reply(a.lookup(".trash"), as: LookupReply.self)
        let trash = try #require(root.found).attributes.inode
        let listing = ReadDirectoryRequest(
            caller: a.reader, inode: trash, after: 0, before: 0, limit: 8, withAttributes: true)
        let hour = try #require(
            try harness.reply(a.send(.readDirectory, listing), as: ReadDirectoryReply.self).entries.first)
        #expect(hour.grant.mode == .read)
        let unlink = c.unlink("f")
        let recalls = a.takeRecalls()
        #expect(recalls.contains { $0.recall.inode == hour.inode && $0.recall.mode == .pin })
        for (question, recall) in recalls { harness.answer(question, RecallReply(remaining: min(recall.mode, .none))) }
        #expect(harness.status(unlink) == .ok)
    }
}
