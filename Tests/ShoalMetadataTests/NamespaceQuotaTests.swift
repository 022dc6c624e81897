import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Quotas of directory trees")
struct NamespaceQuotaTests {
    let shoal: NamespaceFixture

    init() throws { shoal = try NamespaceFixture() }

    @Test("creations past the inode limit are refused, and what was removed can be made again")
    func inodeLimit() throws {
        let top = try shoal.directory("top")
        #expect(try shoal.setQuota(top, inodes: 3).state == .active)
        let inner = try shoal.directory("inner", in: top)
        _ = try shoal.create("a", in: inner)
        _ = try shoal.create("b", in: inner, .symlink)
        #expect(throws: MetadataError.file(.quota)) { try shoal.create("c", in: inner) }
        #expect(throws: MetadataError.file(.quota)) { try shoal.directory("d", in: top) }
        #expect(try shoal.lookup("c", in: inner) == nil)
        _ = try shoal.create("outside")
        _ = try shoal.unlink("a", in: inner)
        _ = try shoal.create("c", in: inner)
        #expect(try shoal.used(top).inodes == 3)
        try shoal.namespace.checkInvariants()
    }

    @Test("a reservation past the byte limit is refused before anything is sent, one within it is not")
    func byteLimit() throws {
        let top = try shoal.directory("top")
        try shoal.setQuota(top, bytes: 100)
        let file = try shoal.create("f", in: top, opensForWriting: true)
        #expect(try shoal.attributes(file).reservedSize == 0)
        #expect(try shoal.commitWrite(file, size: 0, reserved: 60).reservedSize == 60)
        #expect(throws: MetadataError.file(.quota)) { try shoal.commitWrite(file, size: 0, reserved: 101) }
        let other = try shoal.create("g", in: top)
        #expect(throws: MetadataError.file(.quota)) { try shoal.commitWrite(other, size: 0, reserved: 41) }
        #expect(try shoal.commitWrite(file, size: 50, reserved: 50).size == 50)
        #expect(try shoal.commitWrite(other, size: 50, reserved: 50).size == 50)
        #expect(throws: MetadataError.file(.quota)) { try shoal.set(file) { $0.size = 51 } }
        #expect(try shoal.set(file) { $0.size = 10 }.reservedSize == 10)
        #expect(try shoal.used(top) == QuotaAmount(bytes: 60, inodes: 2))
        try shoal.namespace.checkInvariants()
    }

    @Test("ahead of need a writer is given a small part of what is left, and what it needs in any case")
    func aheadOfNeed() throws {
        let top = try shoal.directory("top")
        try shoal.setQuota(top, bytes: 6400)
        let file = try shoal.create("f", in: top)
        #expect(try shoal.commitWrite(file, size: 0, reserved: 1 << 30, needed: 10).reservedSize == 109)
        #expect(try shoal.commitWrite(file, size: 0, reserved: 1 << 30, needed: 6390).reservedSize == 6390)
        #expect(try shoal.commitWrite(file, size: 0, reserved: 1 << 30, needed: 6400).reservedSize == 6400)
        let free = try shoal.create("free")
        #expect(try shoal.commitWrite(free, size: 0, reserved: 1 << 30, needed: 10).reservedSize == 1 << 30)
    }

    @Test("every tree around a file is charged, and each of their limits holds")
    func nested() throws {
        let top = try shoal.directory("top")
        let inner = try shoal.directory("inner", in: top)
        try shoal.setQuota(inner, bytes: 1000)
        try shoal.setQuota(top, bytes: 100)
        #expect(try shoal.quotas(of: inner).map(\.tree) == [inner, top])
        let file = try shoal.create("f", in: inner)
        #expect(throws: MetadataError.file(.quota)) { try shoal.commitWrite(file, size: 0, reserved: 101) }
        _ = try shoal.commitWrite(file, size: 100, reserved: 100)
        #expect(try shoal.used(top) == QuotaAmount(bytes: 100, inodes: 2))
        #expect(try shoal.used(inner) == QuotaAmount(bytes: 100, inodes: 1))
        try shoal.removeQuota(inner)
        #expect(try shoal.quotas().map(\.tree) == [top])
        #expect(try shoal.used(top) == QuotaAmount(bytes: 100, inodes: 2))
        try shoal.namespace.checkInvariants()
    }

    @Test("a quota that is set around another one counts what that one holds")
    func around() throws {
        let top = try shoal.directory("top")
        let inner = try shoal.directory("inner", in: top)
        try shoal.setQuota(inner, bytes: 1000)
        _ = try shoal.commitWrite(try shoal.create("f", in: inner), size: 70, reserved: 70)
        try shoal.setQuota(top)
        #expect(try shoal.used(top) == QuotaAmount(bytes: 70, inodes: 2))
        try shoal.removeQuota(top)
        #expect(try shoal.quotas().map(\.tree) == [inner])
        try shoal.namespace.checkInvariants()
    }

    @Test("a large directory is counted in steps, over restarts, and its limits hold when that is done")
    func counting() throws {
        let top = try shoal.directory("top")
        var parents = [top]
        for index in 0..<8 { parents.append(try shoal.directory("d\(index)", in: parents[index / 2])) }
        for index in 0..<150 {
            let file = try shoal.create("f\(index)", in: parents[index % parents.count])
            _ = try shoal.commitWrite(file, size: 10, reserved: 10)
        }
        #expect(try shoal.setQuota(top, bytes: 5, inodes: 5, counting: false).state == .counting)
        var steps = 0
        while shoal.namespace.quotas[top]?.state == .counting {
            try shoal.stepQuotas(limit: 7)
            try shoal.namespace.checkInvariants()
            try shoal.restart()
            if steps < 5 { _ = try shoal.create("new\(steps)", in: parents[8 - steps]) }
            steps += 1
        }
        #expect(steps > 10)
        #expect(try shoal.used(top) == shoal.walked(top))
        #expect(try shoal.used(top).inodes == 163)
        #expect(throws: MetadataError.file(.quota)) { try shoal.create("more", in: parents[3]) }
        _ = try shoal.unlink("f0", in: top)
        try shoal.removeQuota(top)
        try shoal.settleQuotas()
        #expect(shoal.namespace.quotas.isEmpty)
        #expect(try shoal.count(.quota) == 0)
        try shoal.namespace.checkInvariants()
    }

    @Test("renames between trees: a file is charged at once, a directory with entries is refused with EXDEV")
    func renames() throws {
        let (a, b) = (try shoal.directory("a"), try shoal.directory("b"))
        try shoal.setQuota(a, bytes: 100)
        try shoal.setQuota(b, bytes: 50)
        let file = try shoal.create("f", in: a)
        _ = try shoal.commitWrite(file, size: 40, reserved: 40)
        _ = try shoal.rename("f", in: a, to: "f", into: b)
        #expect(try shoal.used(a) == .zero)
        #expect(try shoal.used(b) == QuotaAmount(bytes: 40, inodes: 1))
        let large = try shoal.create("large", in: a)
        _ = try shoal.commitWrite(large, size: 60, reserved: 60)
        #expect(throws: MetadataError.file(.quota)) { try shoal.rename("large", in: a, to: "large", into: b) }
        #expect(throws: MetadataError.file(.quota)) {
            try shoal.rename("large", in: a, to: "f", into: b, .exchange)
        }
        _ = try shoal.directory("empty", in: a)
        _ = try shoal.rename("empty", in: a, to: "empty", into: b)
        let full = try shoal.directory("full", in: a)
        _ = try shoal.create("x", in: full)
        #expect(throws: MetadataError.file(.crossDevice)) { try shoal.rename("full", in: a, to: "full", into: b) }
        #expect(throws: MetadataError.file(.crossDevice)) { try shoal.rename("full", in: a, to: "full") }
        #expect(throws: MetadataError.file(.crossDevice)) {
            try shoal.rename("empty", in: b, to: "full", into: a, .exchange)
        }
        _ = try shoal.rename("full", in: a, to: "fuller", into: a)
        try shoal.namespace.checkInvariants()
    }

    @Test("a directory with a quota moves between trees with all it holds")
    func renameTree() throws {
        let (a, b) = (try shoal.directory("a"), try shoal.directory("b"))
        let tree = try shoal.directory("tree", in: a)
        try shoal.setQuota(a, bytes: 100)
        try shoal.setQuota(b, bytes: 50)
        try shoal.setQuota(tree, bytes: 100)
        _ = try shoal.commitWrite(try shoal.create("f", in: tree), size: 40, reserved: 40)
        #expect(try shoal.used(a) == QuotaAmount(bytes: 40, inodes: 2))
        _ = try shoal.rename("tree", in: a, to: "tree", into: b)
        #expect(try shoal.used(a) == .zero)
        #expect(try shoal.used(b) == QuotaAmount(bytes: 40, inodes: 2))
        _ = try shoal.rename("tree", in: b, to: "tree")
        #expect(try shoal.used(b) == .zero)
        try shoal.namespace.checkInvariants()
    }

    @Test("hard links stay within a tree")
    func links() throws {
        let a = try shoal.directory("a")
        let inner = try shoal.directory("inner", in: a)
        try shoal.setQuota(a)
        let file = try shoal.create("f", in: a)
        #expect(throws: MetadataError.file(.crossDevice)) { try shoal.link(file, as: "out") }
        _ = try shoal.link(file, as: "in", in: inner)
        #expect(throws: MetadataError.file(.crossDevice)) { try shoal.rename("f", in: a, to: "f") }
        #expect(try shoal.used(a).inodes == 2)
        let outside = try shoal.create("outside")
        #expect(throws: MetadataError.file(.crossDevice)) { try shoal.link(outside, as: "f2", in: a) }
    }

    @Test("an unlinked file that is still open is charged until it is gone, also past its directory")
    func orphans() throws {
        let top = try shoal.directory("top")
        try shoal.setQuota(top, bytes: 100)
        let file = try shoal.create("f", in: top)
        _ = try shoal.commitWrite(file, size: 60, reserved: 60)
        shoal.inUse = [file]
        _ = try shoal.unlink("f", in: top)
        #expect(try shoal.used(top) == QuotaAmount(bytes: 60, inodes: 1))
        _ = try shoal.removeDirectory("top")
        try shoal.namespace.checkInvariants()
        try shoal.restart()
        #expect(try shoal.quotas().map(\.state) == [.removing])
        try shoal.commit { _ = try $0.reclaimOrphan(file) }
        #expect(try shoal.quotas().isEmpty)
        try shoal.namespace.checkInvariants()
    }

    @Test("df in a tree shows the limit that is nearest")
    func statistics() throws {
        let top = try shoal.directory("top")
        let inner = try shoal.directory("inner", in: top)
        try shoal.setQuota(top, bytes: 1000, inodes: 10)
        try shoal.setQuota(inner, bytes: 5000)
        let file = try shoal.create("f", in: inner)
        _ = try shoal.commitWrite(file, size: 300, reserved: 300)
        var context = shoal.context
        (context.bytesTotal, context.bytesFree) = (100_000, 90_000)
        for inode in [inner, file, top] {
            var transaction = shoal.namespace.begin()
            let space = try StatFileSystem(InodeRequest(caller: Caller(), inode: inode)).execute(&transaction, context)
            #expect(space.bytesTotal == 1000)
            #expect(space.bytesFree == 700)
            #expect(space.inodesUsed == 2)
            #expect(space.inodesFree == 8)
        }
        var transaction = shoal.namespace.begin()
        let space = try StatFileSystem(InodeRequest(caller: Caller(), inode: .root)).execute(&transaction, context)
        #expect(space.bytesTotal == 100_000)
        #expect(space.inodesFree == nil)
    }

    @Test("limits can be changed and lifted, and set below what is used")
    func changes() throws {
        let top = try shoal.directory("top")
        try shoal.setQuota(top, inodes: 1)
        _ = try shoal.create("a", in: top)
        #expect(throws: MetadataError.file(.quota)) { try shoal.create("b", in: top) }
        try shoal.setQuota(top, inodes: .max)
        let file = try shoal.create("b", in: top)
        try shoal.setQuota(top, bytes: 5, inodes: 1)
        #expect(throws: MetadataError.file(.quota)) { try shoal.commitWrite(file, size: 6, reserved: 6) }
        _ = try shoal.rename("b", in: top, to: "c", into: top)
        _ = try shoal.unlink("c", in: top)
        let kept = try #require(try shoal.lookup("a", in: top)).inode
        #expect(throws: MetadataError.file(.notDirectory)) { try shoal.setQuota(kept) }
        #expect(throws: MetadataError.file(.noData)) { try shoal.removeQuota(.root) }
    }
}
