import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Rename")
struct NamespaceRenameTests {
    let shoal: NamespaceFixture

    init() throws { shoal = try NamespaceFixture() }

    @Test("a renamed file keeps its inode and content, and only its change time moves")
    func plain() throws {
        let file = try shoal.create("a")
        let before = try shoal.attributes(file)
        let reply = try shoal.rename("a", to: "b")
        #expect(reply.moved == file)
        #expect(reply.removed.inode == InodeID(0))
        var after = try #require(try shoal.lookup("b"))
        #expect(after.changeTime > before.changeTime)
        after.changeTime = before.changeTime
        #expect(after == before)
        #expect(try shoal.lookup("a") == nil)
        try shoal.namespace.checkInvariants()
    }

    @Test("a file replaces a file, whose content is queued")
    func replaceFile() throws {
        let file = try shoal.create("a")
        let old = try shoal.create("b", opensForWriting: true)
        let data = try shoal.attributes(old).data
        let reply = try shoal.rename("a", to: "b")
        #expect(reply.removed.inode == old)
        #expect(reply.removed.linkCount == 0)
        #expect(!reply.isOrphan)
        #expect(try shoal.lookup("b")?.inode == file)
        #expect(try shoal.reclaimQueue().map(\.data) == [data])
        #expect(throws: MetadataError.file(.notFound)) { try shoal.attributes(old) }
        try shoal.namespace.checkInvariants()
    }

    @Test("a replaced file that is in use becomes an orphan")
    func replaceOpenFile() throws {
        _ = try shoal.create("a")
        let old = try shoal.create("b")
        let request = try shoal.renameRequest("a", in: .root, to: "b", into: .root, .replace)
        #expect(try shoal.needs(Rename(request)).contains(.lastName(old)))
        shoal.inUse = [old]
        let reply = try shoal.rename("a", to: "b")
        #expect(reply.isOrphan)
        #expect(try shoal.orphans() == [old])
        #expect(try shoal.attributes(old).linkCount == 0)
        try shoal.namespace.checkInvariants()
    }

    @Test("a directory replaces an empty directory and no other")
    func replaceDirectory() throws {
        let moved = try shoal.directory("a")
        let empty = try shoal.directory("empty")
        let full = try shoal.directory("full")
        _ = try shoal.create("x", in: full)
        #expect(throws: MetadataError.file(.notEmpty)) { try shoal.rename("a", to: "full") }
        let reply = try shoal.rename("a", to: "empty")
        #expect(reply.removed.inode == empty)
        #expect(reply.removed.linkCount == 0)
        #expect(try shoal.lookup("empty")?.inode == moved)
        #expect(try shoal.attributes(.root).linkCount == 4)
        try shoal.namespace.checkInvariants()
    }

    @Test("a directory does not replace a file, nor a file a directory")
    func kindsDiffer() throws {
        _ = try shoal.directory("d")
        _ = try shoal.create("f")
        #expect(throws: MetadataError.file(.notDirectory)) { try shoal.rename("d", to: "f") }
        #expect(throws: MetadataError.file(.isDirectory)) { try shoal.rename("f", to: "d") }
    }

    @Test("noReplace refuses a name that exists, also the same one")
    func noReplace() throws {
        _ = try shoal.create("a")
        _ = try shoal.create("b")
        #expect(throws: MetadataError.file(.exists)) { try shoal.rename("a", to: "b", .noReplace) }
        #expect(throws: MetadataError.file(.exists)) { try shoal.rename("a", to: "a", .noReplace) }
        _ = try shoal.rename("a", to: "c", .noReplace)
        #expect(try shoal.names() == ["c", "b"])
    }

    @Test("two names of one inode: nothing happens, both stay")
    func sameInode() throws {
        let file = try shoal.create("a")
        _ = try shoal.link(file, as: "b")
        let before = try shoal.attributes(file)
        let request = try shoal.renameRequest("a", in: .root, to: "b", into: .root, .replace)
        #expect(try shoal.needs(Rename(request)).isEmpty)
        #expect(try shoal.rename("a", to: "b").moved == file)
        #expect(try shoal.rename("a", to: "a").moved == file)
        #expect(try shoal.names() == ["a", "b"])
        #expect(try shoal.attributes(file) == before)
    }

    @Test("a directory cannot go into itself or below, in a plain rename and in an exchange")
    func loop() throws {
        let a = try shoal.directory("a")
        let b = try shoal.directory("b", in: a)
        let c = try shoal.directory("c", in: b)
        _ = try shoal.create("f", in: c)
        #expect(throws: MetadataError.file(.invalidArgument)) { try shoal.rename("a", to: "x", into: a) }
        #expect(throws: MetadataError.file(.invalidArgument)) { try shoal.rename("a", to: "x", into: c) }
        #expect(throws: MetadataError.file(.invalidArgument)) {
            try shoal.rename("f", in: c, to: "a", into: .root, .exchange)
        }
        #expect(throws: MetadataError.file(.notEmpty)) { try shoal.rename("c", in: b, to: "a", into: .root) }
        _ = try shoal.rename("b", in: a, to: "b", into: .root)
        #expect(throws: MetadataError.file(.invalidArgument)) { try shoal.rename("b", to: "b", into: c) }
        _ = try shoal.rename("a", to: "a", into: c)
        try shoal.namespace.checkInvariants()
    }

    @Test("a directory that moves takes `..` along, and its parents' link counts")
    func dotDot() throws {
        let a = try shoal.directory("a")
        let b = try shoal.directory("b")
        let moved = try shoal.directory("m", in: a)
        #expect(try shoal.page(moved).parent == a)
        _ = try shoal.rename("m", in: a, to: "n", into: b)
        #expect(try shoal.page(moved).parent == b)
        #expect(try shoal.attributes(a).linkCount == 2)
        #expect(try shoal.attributes(b).linkCount == 3)
        #expect(try shoal.page(.root).parent == .root)
    }

    @Test("an exchange of a directory and a file in two directories swaps both, `..` and link counts too")
    func exchange() throws {
        let a = try shoal.directory("a")
        let b = try shoal.directory("b")
        let inner = try shoal.directory("x", in: a)
        let file = try shoal.create("y", in: b)
        let reply = try shoal.rename("x", in: a, to: "y", into: b, .exchange)
        #expect(reply.moved == inner)
        #expect(reply.removed.inode == InodeID(0))
        #expect(try shoal.lookup("x", in: a)?.inode == file)
        #expect(try shoal.lookup("y", in: b)?.inode == inner)
        #expect(try shoal.page(inner).parent == b)
        #expect(try shoal.attributes(a).linkCount == 2)
        #expect(try shoal.attributes(b).linkCount == 3)
        try shoal.namespace.checkInvariants()
        #expect(throws: MetadataError.file(.notFound)) { try shoal.rename("x", in: a, to: "z", .exchange) }
    }

    @Test("an exchange within one directory keeps each name's place in the listing")
    func exchangeInPlace() throws {
        let first = try shoal.create("a")
        let second = try shoal.directory("b")
        _ = try shoal.rename("a", to: "b", .exchange)
        #expect(try shoal.names() == ["a", "b"])
        #expect(try shoal.page().entries.map(\.inode) == [second, first])
        try shoal.namespace.checkInvariants()
    }

    @Test("a rename needs both parents, the moved and the replaced inode to change")
    func needs() throws {
        let a = try shoal.directory("a")
        let file = try shoal.create("f")
        let other = try shoal.create("g", in: a)
        let request = try shoal.renameRequest("f", in: .root, to: "g", into: a, .replace)
        #expect(
            try shoal.needs(Rename(request)) == [
                .changeNames(.root, [fileName("f")]), .changeNames(a, [fileName("g")]), .change(file), .change(other),
                .lastName(other),
            ])
        var swap = request
        swap.rule = .exchange
        #expect(!(try shoal.needs(Rename(swap)).contains(.lastName(other))))
    }

    @Test("nothing can be renamed from or to a directory that is gone")
    func removedParent() throws {
        let gone = try shoal.directory("d")
        _ = try shoal.removeDirectory("d")
        _ = try shoal.create("f")
        #expect(throws: MetadataError.file(.notFound)) { try shoal.rename("f", to: "f", into: gone) }
        #expect(throws: MetadataError.file(.notFound)) { try shoal.rename("f", in: gone, to: "g") }
        #expect(throws: MetadataError.file(.notFound)) { try shoal.create("x", in: gone) }
    }
}
