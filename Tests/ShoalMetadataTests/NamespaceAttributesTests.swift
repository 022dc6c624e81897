import ShoalKeyValue
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Attributes")
struct NamespaceAttributesTests {
    let shoal: NamespaceFixture

    init() throws { shoal = try NamespaceFixture() }

    @Test("chmod changes the permissions and the change time, and nothing else")
    func permissions() throws {
        let file = try shoal.create("f")
        var expected = try shoal.attributes(file)
        let after = try shoal.set(file) { $0.permissions = 0o7777 | FileKind.directory.rawValue }
        expected.mode = FileKind.regular.rawValue | 0o7777
        expected.changeTime = shoal.now
        #expect(after == expected)
    }

    @Test("chown takes set-id bits from files as chown(2) says, not from directories, nor if the mode is given")
    func setIDBits() throws {
        let file = try shoal.create("f", mode: 0o6755)
        #expect(try shoal.set(file) { $0.uid = 5 }.permissions == 0o755)
        let lock = try shoal.create("g", mode: 0o6745)
        #expect(try shoal.set(lock) { $0.gid = 5 }.permissions == 0o2745)
        let directory = try shoal.create("d", .directory, mode: 0o6755)
        #expect(try shoal.set(directory) { $0.uid = 5 }.permissions == 0o6755)
        let both = try shoal.set(file) {
            $0.uid = 6
            $0.permissions = 0o4711
        }
        #expect(both.permissions == 0o4711)
        #expect(try shoal.set(both.inode) { $0.size = 0 }.permissions == 0o4711)
    }

    @Test("a new size sets modify and change time, keeps the reservation, and is bounded")
    func size() throws {
        let file = try shoal.create("f", opensForWriting: true)
        let chunk: UInt64 = 4 << 20
        let grown = try shoal.set(file) { $0.size = 3 * chunk }
        #expect(grown.size == 3 * chunk)
        #expect(grown.reservedSize == 3 * chunk)
        #expect(grown.modifyTime == shoal.now)
        let cut = try shoal.set(file) {
            $0.size = 10
            $0.modifyTime = Timestamp(seconds: -5)
        }
        #expect(cut.reservedSize == 3 * chunk)
        #expect(cut.modifyTime == Timestamp(seconds: -5))
        #expect(cut.changeTime == shoal.now)
        #expect(try shoal.set(file) { $0.size = Geometry.fileBytesMax }.size == Geometry.fileBytesMax)
        #expect(throws: MetadataError.file(.fileTooLarge)) {
            try shoal.set(file) { $0.size = Geometry.fileBytesMax + 1 }
        }
    }

    @Test("only regular files have a size to set")
    func sizeOfOthers() throws {
        #expect(throws: MetadataError.file(.isDirectory)) { try shoal.set(.root) { $0.size = 0 } }
        let fifo = try shoal.create("p", .fifo)
        #expect(throws: MetadataError.file(.invalidArgument)) { try shoal.set(fifo) { $0.size = 0 } }
    }

    @Test("a write commit is taken as it is, and refused when it exceeds its reservation or the format")
    func commitWrite() throws {
        let file = try shoal.create("f")
        let after = try shoal.commitWrite(file, size: 5, reserved: 100)
        #expect((after.size, after.reservedSize) == (5, 100))
        #expect(throws: MetadataError.file(.invalidArgument)) { try shoal.commitWrite(file, size: 101, reserved: 100) }
        #expect(throws: MetadataError.file(.fileTooLarge)) { try shoal.commitWrite(file, size: 5, reserved: 1 << 60) }
        #expect(throws: MetadataError.file(.invalidArgument)) { try shoal.commitWrite(.root, size: 0, reserved: 0) }
        #expect(throws: MetadataError.file(.notFound)) { try shoal.commitWrite(InodeID(999), size: 0, reserved: 0) }
    }

    @Test("what a foreign writer answered is shown in place of what is stored")
    func glimpse() throws {
        let file = try shoal.create("f")
        let request = try Lookup(shoal.nameRequest("f"))
        #expect(try shoal.needs(request) == [.observe(file)])
        var context = shoal.context
        let answer = GlimpseReply(size: 77, modifyTime: Timestamp(seconds: 8), changeTime: Timestamp(seconds: 9))
        context.note(answer, of: file, isWhole: true)
        var transaction = shoal.namespace.begin()
        let found = try #require(try request.execute(&transaction, context).found)
        #expect(found.attributes.size == 77)
        #expect(found.attributes.modifyTime == Timestamp(seconds: 8))
        #expect(found.attributes.changeTime == Timestamp(seconds: 9))
        #expect(found.parent.inode == .root)
    }

    @Test("each kind keeps what it is made with; a set-group-ID directory passes its group on")
    func kinds() throws {
        let directory = try shoal.create("d", .directory, mode: 0o2755)
        _ = try shoal.set(directory) {
            $0.gid = 99
            $0.permissions = 0o2755
        }
        for kind in FileKind.allCases {
            let inode = try shoal.create("\(kind)", in: directory, kind, mode: 0o640)
            let attributes = try shoal.attributes(inode)
            #expect(attributes.kind == kind)
            #expect(attributes.gid == 99)
            switch kind {
            case .directory: #expect((attributes.permissions, attributes.linkCount) == (0o2640, 2))
            case .symlink: #expect((attributes.permissions, attributes.size) == (0o777, 6))
            default: #expect((attributes.permissions, attributes.linkCount) == (0o640, 1))
            }
            try shoal.restart()
            #expect(try shoal.attributes(inode) == attributes)
        }
        try shoal.namespace.checkInvariants()
    }

    @Test("symlinks read back their target; a target is required of them and of nothing else")
    func symlinks() throws {
        let link = try shoal.create("s", .symlink)
        let read = ReadLink(InodeRequest(caller: Caller(), inode: link))
        #expect(try shoal.run(read).target == Array("target".utf8))
        var request = CreateRequest()
        request.parent = .root
        request.name = try FileName("t".utf8)
        request.mode = FileKind.symlink.rawValue
        #expect(throws: MetadataError.file(.notFound)) { try shoal.run(CreateNode(request)) }
        request.mode = FileKind.regular.rawValue
        request.target = [1]
        #expect(throws: MetadataError.file(.invalidArgument)) { try shoal.run(CreateNode(request)) }
        #expect(throws: MetadataError.file(.invalidArgument)) {
            try shoal.run(ReadLink(InodeRequest(caller: Caller(), inode: .root)))
        }
        _ = try shoal.unlink("s")
        #expect(try shoal.store.get(Keys.symlink(link)) == nil)
    }

    @Test("a file has at most linkCountMax names, and a directory one")
    func links() throws {
        let file = try shoal.create("f")
        #expect(throws: MetadataError.file(.notPermitted)) { try shoal.link(.root, as: "r") }
        #expect(throws: MetadataError.file(.exists)) { try shoal.link(file, as: "f") }
        var record = try shoal.namespace.begin().existing(file)
        record.attributes.linkCount = Geometry.linkCountMax
        try shoal.commit { $0.update(record) }
        #expect(throws: MetadataError.file(.tooManyLinks)) { try shoal.link(file, as: "g") }
    }

    @Test("statfs counts inodes, over restarts too")
    func statistics() throws {
        _ = try shoal.create("a")
        _ = try shoal.directory("b")
        try shoal.restart()
        var context = shoal.context
        context.bytesTotal = 10
        context.bytesFree = 4
        var transaction = shoal.namespace.begin()
        let reply = try StatFileSystem(InodeRequest(caller: Caller(), inode: .root)).execute(&transaction, context)
        #expect(reply == FileSystemStatistics(bytesTotal: 10, bytesFree: 4, inodesUsed: 3))
    }
}
