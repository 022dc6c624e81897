import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Orphans, reclaim queue, uploads")
struct NamespaceOrphanTests {
    let shoal: NamespaceFixture

    init() throws { shoal = try NamespaceFixture() }

    @Test("a file in use outlives its last name, over a restart, until it is reclaimed")
    func orphanLives() throws {
        let file = try shoal.create("f", opensForWriting: true)
        #expect(
            try shoal.needs(Unlink(shoal.nameRequest("f"))) == [
                .changeNames(.root, [fileName("f")]), .change(file), .lastName(file),
            ])
        shoal.inUse = [file]
        #expect(try shoal.unlink("f").isOrphan)
        try shoal.restart()
        #expect(try shoal.orphans() == [file])
        #expect(try shoal.attributes(file).linkCount == 0)
        #expect(throws: MetadataError.file(.notFound)) { try shoal.link(file, as: "again") }
        _ = try shoal.commitWrite(file, size: 9, reserved: 4 << 20)
        let data = try shoal.attributes(file).data
        #expect(try shoal.commit { try $0.reclaimOrphan(file) })
        #expect(try shoal.orphans().isEmpty)
        #expect(throws: MetadataError.file(.notFound)) { try shoal.attributes(file) }
        #expect(try shoal.reclaimQueue() == [ReclaimEntry(data: data, chunkCount: 1, chunkBytesLog2: 22)])
        #expect(try !shoal.commit { try $0.reclaimOrphan(file) })
        #expect(shoal.namespace.inodeCount == 1)
    }

    @Test("while another name is left, nobody is asked and nothing is queued")
    func otherNames() throws {
        let file = try shoal.create("f", opensForWriting: true)
        #expect(try shoal.link(file, as: "g").linkCount == 2)
        #expect(
            try shoal.needs(Unlink(shoal.nameRequest("f"))) == [.changeNames(.root, [fileName("f")]), .change(file)])
        shoal.inUse = [file]
        let reply = try shoal.unlink("f")
        #expect(!reply.isOrphan)
        #expect(reply.removed.linkCount == 1)
        #expect(try shoal.reclaimQueue().isEmpty)
        try shoal.namespace.checkInvariants()
    }

    @Test("a file that was never written leaves nothing to reclaim")
    func neverWritten() throws {
        _ = try shoal.create("f")
        _ = try shoal.unlink("f")
        #expect(try shoal.reclaimQueue().isEmpty)
    }

    @Test("the queue hands out entries in pages, remembers progress, and forgets what is done")
    func reclaimProgress() throws {
        for index in 0..<5 {
            let file = try shoal.create("f\(index)")
            _ = try shoal.commitWrite(file, size: 9 << 20, reserved: 9 << 20)
            _ = try shoal.unlink("f\(index)")
        }
        let first = try shoal.namespace.begin().reclaimEntries(limit: 2)
        #expect(first.map(\.chunkCount) == [3, 3])
        let rest = try shoal.namespace.begin().reclaimEntries(after: first[1].data, limit: 10)
        #expect(rest.count == 3)
        try shoal.commit { try $0.advanceReclaim(first[0].data, to: 2) }
        try shoal.restart()
        #expect(try shoal.reclaimQueue()[0].firstChunk == 2)
        try shoal.commit { try $0.advanceReclaim(first[0].data, to: 3) }
        try shoal.commit { $0.finishReclaim(first[1].data) }
        #expect(try shoal.reclaimQueue() == rest)
    }

    @Test("a truncation to 0 queues the content; the next reservation makes a new data ID")
    func truncateToZero() throws {
        let file = try shoal.create("f", opensForWriting: true)
        let old = try shoal.attributes(file).data
        _ = try shoal.commitWrite(file, size: 100, reserved: 4 << 20)
        let cut = try shoal.set(file) { $0.size = 0 }
        #expect(cut.data == .none)
        #expect(cut.reservedSize == 0)
        #expect(try shoal.reclaimQueue().map(\.data) == [old])
        #expect(try shoal.commitWrite(file, size: 0, reserved: 0).data == .none)
        let fresh = try shoal.commitWrite(file, size: 0, reserved: 4 << 20)
        #expect(fresh.data > old)
        #expect(try shoal.set(file) { $0.size = 50 }.data == fresh.data)
    }

    @Test("an upload is published whole under an existing file, whose old content is queued")
    func publish() throws {
        let file = try shoal.create("f", mode: 0o600, opensForWriting: true)
        let old = try shoal.attributes(file)
        let data = try prepare(10 << 20)
        let reply = try shoal.run(PublishUpload(publishRequest("f", data, 10 << 20))).attributes
        #expect(reply.inode == file)
        #expect(reply.mode == old.mode)
        #expect(reply.data == data)
        #expect(reply.size == 10 << 20)
        #expect(reply.reservedSize == reply.size)
        #expect(try shoal.reclaimQueue().map(\.data) == [old.data])
        #expect(throws: MetadataError.file(.notFound)) {
            try shoal.run(PublishUpload(publishRequest("f", data, 10 << 20)))
        }
    }

    @Test("an upload makes a new file; directories, symlinks and longer content are refused")
    func publishNew() throws {
        _ = try shoal.directory("d")
        _ = try shoal.create("s", .symlink)
        let data = try prepare(100)
        #expect(throws: MetadataError.file(.isDirectory)) { try shoal.run(PublishUpload(publishRequest("d", data, 1))) }
        #expect(throws: MetadataError.file(.exists)) { try shoal.run(PublishUpload(publishRequest("s", data, 1))) }
        #expect(throws: MetadataError.file(.invalidArgument)) {
            try shoal.run(PublishUpload(publishRequest("n", data, 101)))
        }
        let made = try shoal.run(PublishUpload(publishRequest("n", data, 100))).attributes
        #expect(try shoal.lookup("n") == made)
        try shoal.namespace.checkInvariants()
    }

    @Test("what an ended session had prepared is queued, also after a restart")
    func abandon() throws {
        let first = try prepare(5 << 20)
        let second = try prepare(1)
        _ = try prepare(0)
        _ = try shoal.run(AbandonUpload(AbandonUploadRequest(caller: Caller(session: SessionID(1)), data: first)))
        #expect(try shoal.reclaimQueue().map(\.chunkCount) == [2])
        try shoal.restart()
        #expect(try shoal.commit { try $0.abandonUploads(of: SessionID(1), limit: 1) } == 1)
        #expect(try shoal.commit { try $0.abandonUploads(of: SessionID(1)) } == 1)
        #expect(try shoal.commit { try $0.abandonUploads(of: SessionID(1)) } == 0)
        #expect(try shoal.reclaimQueue().map(\.data) == [first, second])
    }

    private func prepare(_ size: UInt64) throws -> DataID {
        try shoal.run(PrepareUpload(PrepareUploadRequest(caller: Caller(session: SessionID(1)), size: size))).data
    }

    private func publishRequest(_ name: String, _ data: DataID, _ size: UInt64) throws -> PublishUploadRequest {
        var request = PublishUploadRequest()
        request.caller = Caller(session: SessionID(1))
        request.parent = .root
        request.name = try FileName(name.utf8)
        request.data = data
        request.size = size
        request.mode = 0o644
        return request
    }
}
