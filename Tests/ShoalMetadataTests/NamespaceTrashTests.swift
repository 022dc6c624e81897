import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("The trash")
struct NamespaceTrashTests {
    let shoal: NamespaceFixture

    init() throws { shoal = try NamespaceFixture() }

    private func turnOn(keepSeconds: UInt64 = 100) throws {
        try shoal.run(SetTrash(SetTrashRequest(caller: Caller(), keepSeconds: keepSeconds)))
    }

    private func list() throws -> [TrashItem] {
        try shoal.run(ListTrash(ListTrashRequest(caller: Caller(), after: TrashPlace()))).items
    }

    private func expireDue() throws {
        let due = shoal.namespace.trash.dueUpTo(shoal.now)
        for (place, _) in try shoal.namespace.begin().trashEntries(upTo: due, limit: .max) {
            try shoal.run(ExpireTrashEntry(place))
        }
    }

    @Test("off it keeps nothing, and there is no trace of it")
    func off() throws {
        _ = try shoal.create("f")
        _ = try shoal.unlink("f")
        #expect(try shoal.lookup(".trash") == nil)
        #expect(try shoal.count(.trash) == 0)
        #expect(shoal.namespace.inodeCount == 1)
    }

    @Test("what loses its last name goes there with its content, and is not listed in the root")
    func keeps() throws {
        try turnOn()
        let file = try shoal.create("f")
        _ = try shoal.commitWrite(file, size: 9, reserved: 9)
        _ = try shoal.create("g")
        _ = try shoal.unlink("f")
        let replaced = try #require(try shoal.lookup("g")).inode
        _ = try shoal.create("h")
        _ = try shoal.rename("h", to: "g")
        #expect(try shoal.names() == ["g"])
        let items = try list()
        #expect(items.map(\.place.inode) == [file, replaced])
        #expect(items.map { "\($0.formerName)" } == ["f", "g"])
        #expect(items.map(\.size) == [9, 0])
        #expect(try shoal.attributes(file).linkCount == 1)
        #expect(try shoal.reclaimQueue().isEmpty)
        let trash = try #require(try shoal.lookup(".trash"))
        #expect(trash.mode == FileKind.directory.rawValue | 0o700)
        #expect(trash.uid == 0)
        #expect(try shoal.names(trash.inode) == ["1970-01-12-13"])
        try shoal.namespace.checkInvariants()
    }

    @Test("directories, symbolic links, and files with another name are not kept")
    func notKept() throws {
        try turnOn()
        _ = try shoal.directory("d")
        _ = try shoal.removeDirectory("d")
        _ = try shoal.create("s", .symlink)
        _ = try shoal.unlink("s")
        let file = try shoal.create("f")
        _ = try shoal.link(file, as: "g")
        _ = try shoal.unlink("f")
        #expect(try list().isEmpty)
        #expect(try shoal.names() == ["g"])
    }

    @Test("where the trash cannot take a file, because somebody made that very name, it goes as without the trash")
    func takenName() throws {
        try turnOn()
        let hour = shoal.namespace.trash.directory
        let file = try shoal.create("f")
        let blocker = shoal.namespace.next.cookie
        _ = try shoal.create("\(blocker + 1)-f", in: hour)
        var transaction = shoal.namespace.begin()
        #expect(try Unlink(shoal.nameRequest("f", in: .root)).needs(&transaction).contains(.lastName(file)))
        shoal.inUse = [file]
        #expect(try shoal.unlink("f").isOrphan)
        #expect(try shoal.orphans() == [file])
        #expect(try list().isEmpty)
        try shoal.namespace.checkInvariants()
    }

    @Test("a rename takes a file out, and what is unlinked in the trash is gone")
    func restoreAndDelete() throws {
        try turnOn()
        let files = try (0..<2).map { try shoal.create("f\($0)") }
        for index in 0..<2 { _ = try shoal.unlink("f\(index)") }
        let items = try list()
        let back = try shoal.renameRequest(
            "\(items[0].name)", in: items[0].directory, to: "f0", into: .root, .noReplace)
        try shoal.run(Rename(back))
        #expect(try shoal.lookup("f0")?.inode == files[0])
        _ = try shoal.unlink("\(items[1].name)", in: items[1].directory)
        #expect(throws: MetadataError.file(.notFound)) { try shoal.attributes(files[1]) }
        #expect(try list().isEmpty)
        _ = try shoal.unlink("f0")
        #expect(try list().map(\.place.inode) == [files[0]])
        try shoal.namespace.checkInvariants()
    }

    @Test("what is due goes, with its hour's directory, over a restart; what was taken out stays")
    func expiry() throws {
        try turnOn(keepSeconds: 100)
        for name in ["a", "b", "c"] { _ = try shoal.create(name) }
        for name in ["a", "b", "c"] { _ = try shoal.unlink(name) }
        let items = try list()
        try shoal.run(
            Rename(shoal.renameRequest("\(items[1].name)", in: items[1].directory, to: "b", into: .root, .replace)))
        try shoal.run(BeginTrashHour(shoal.now.trashHour + 1))
        try expireDue()
        #expect(try list().count == 2)
        shoal.now.seconds += 200
        try shoal.restart()
        #expect(try list().isEmpty)
        try expireDue()
        #expect(try shoal.count(.trash) == 1)
        #expect(try shoal.names() == ["b"])
        let trash = try #require(try shoal.lookup(".trash")).inode
        #expect(try shoal.names(trash) == ["1970-01-12-14"])
        #expect(shoal.namespace.inodeCount == 4)
        try shoal.run(BeginTrashHour(shoal.now.trashHour + 5))
        #expect(try shoal.names(trash) == ["1970-01-12-18"])
        try shoal.namespace.checkInvariants()
    }

    @Test("a file that is open when it is due becomes an orphan")
    func inUse() throws {
        try turnOn(keepSeconds: 1)
        let file = try shoal.create("f")
        _ = try shoal.unlink("f")
        shoal.now.seconds += 10
        shoal.inUse = [file]
        try expireDue()
        #expect(try shoal.orphans() == [file])
        try shoal.namespace.checkInvariants()
    }

    @Test("emptied, it shows nothing at once; turned off, it keeps what it has")
    func emptyAndOff() throws {
        try turnOn(keepSeconds: 1000)
        _ = try shoal.create("a")
        _ = try shoal.unlink("a")
        try shoal.run(SetTrash(SetTrashRequest(caller: Caller(), keepSeconds: nil)))
        _ = try shoal.create("b")
        _ = try shoal.unlink("b")
        #expect(try list().count == 1)
        try shoal.run(EmptyTrash(EmptyTrashRequest(caller: Caller())))
        #expect(try list().isEmpty)
        try expireDue()
        #expect(try shoal.count(.trash) == 1)
        try shoal.namespace.checkInvariants()
    }

    @Test("the trash itself cannot be removed, moved, replaced or given a quota, and a file named like it keeps it off")
    func guarded() throws {
        _ = try shoal.create(".trash")
        #expect(throws: MetadataError.file(.exists)) { try turnOn() }
        _ = try shoal.unlink(".trash")
        try turnOn()
        let trash = try #require(try shoal.lookup(".trash")).inode
        _ = try shoal.directory("d")
        #expect(throws: MetadataError.file(.exists)) { try shoal.create(".trash") }
        #expect(throws: MetadataError.file(.notPermitted)) { try shoal.removeDirectory(".trash") }
        #expect(throws: MetadataError.file(.notPermitted)) { try shoal.rename(".trash", to: "x") }
        #expect(throws: MetadataError.file(.notPermitted)) { try shoal.rename("d", to: ".trash", .exchange) }
        #expect(throws: MetadataError.file(.notPermitted)) { try shoal.setQuota(trash) }
    }

    @Test("a file in the trash is not charged to the tree that it came from; long names are cut")
    func quota() throws {
        try turnOn()
        let top = try shoal.directory("top")
        try shoal.setQuota(top, bytes: 10)
        let name = String(repeating: "n", count: 255)
        let file = try shoal.create(name, in: top)
        _ = try shoal.commitWrite(file, size: 10, reserved: 10)
        _ = try shoal.unlink(name, in: top)
        #expect(try shoal.used(top) == .zero)
        let item = try #require(try list().first)
        #expect("\(item.formerName)" == name)
        #expect(item.name.bytes.count == 255)
        let back = try shoal.renameRequest("\(item.name)", in: item.directory, to: "back", into: top, .noReplace)
        try shoal.run(Rename(back))
        #expect(try shoal.used(top) == QuotaAmount(bytes: 10, inodes: 1))
        try shoal.namespace.checkInvariants()
    }

    private static let hours: [(UInt64, String)] = [
        (0, "1970-01-01-00"), (23, "1970-01-01-23"), (264_384, "2000-02-29-00"), (474_791, "2024-02-29-23"),
        (1_139_568, "2100-01-01-00"),
    ]

    @Test("hours are named by the civil date", arguments: NamespaceTrashTests.hours)
    func names(hour: UInt64, name: String) { #expect("\(TrashState.name(ofHour: hour))" == name) }
}
