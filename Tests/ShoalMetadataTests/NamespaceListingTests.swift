import ShoalKeyValue
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalMetadata

@Suite("Directory listing")
struct NamespaceListingTests {
    @Test("pages from a cookie show every lasting name once while others come and go")
    func stableCookies() throws {
        let shoal = try NamespaceFixture()
        for index in 0..<20 { _ = try shoal.create("keep\(index)") }
        for index in 0..<20 { _ = try shoal.create("old\(index)") }
        var seen: [String] = []
        var after: UInt64 = 0
        var round = 0
        while true {
            let page = try shoal.page(after: after, limit: 3)
            seen += page.entries.map { "\($0.name)" }
            if page.isEnd { break }
            after = try #require(page.entries.last).cookie
            if round < 20 {
                _ = try shoal.unlink("old\(round)")
                _ = try shoal.create("temporary")
                _ = try shoal.unlink("temporary")
                // What editors do: a new file under an old name.
                _ = try shoal.create("swap")
                _ = try shoal.rename("swap", to: "keep\(19 - round)")
            }
            round += 1
        }
        for index in 0..<20 { #expect(seen.count { $0 == "keep\(index)" } == 1) }
        #expect(Set(seen).count == seen.count)
    }

    @Test("renaming each entry as it is listed ends, and meets none twice")
    func renameWhileListing() throws {
        let shoal = try NamespaceFixture()
        for index in 0..<10 { _ = try shoal.create("f\(index)") }
        var seen: [InodeID] = []
        var after: UInt64 = 0
        while true {
            let page = try shoal.page(after: after, limit: 1)
            for entry in page.entries {
                seen.append(entry.inode)
                after = entry.cookie
                _ = try shoal.rename("\(entry.name)", to: "\(entry.name).new")
            }
            if page.isEnd { break }
        }
        #expect(seen.count == 10)
        #expect(Set(seen).count == 10)
    }

    @Test("a listing of a directory that grows as it is read ends with the names there were; a new one shows all")
    func growing() throws {
        let shoal = try NamespaceFixture()
        for index in 0..<6 { _ = try shoal.create("old\(index)") }
        let elsewhere = try shoal.directory("elsewhere")
        _ = try shoal.create("moves in", in: elsewhere)
        var seen: [String] = []
        var page = try shoal.page(limit: 2)
        var round = 0
        while let last = page.entries.last {
            seen += page.entries.map { "\($0.name)" }
            _ = try shoal.create("new\(round)")
            if round == 0 { _ = try shoal.rename("moves in", in: elsewhere, to: "moved in", into: .root) }
            // A name that replaces another is there all the time.
            if round == 1 { _ = try shoal.rename("new0", to: "old5") }
            page = try shoal.page(after: last.cookie, before: page.before, limit: 2)
            round += 1
            #expect(round < 100)
        }
        #expect(seen == ["old0", "old1", "old2", "old3", "old4", "old5", "elsewhere"])
        #expect(!page.isEnd, "the directory goes on, and nobody may take it for wholly known")
        let again = try shoal.page()
        #expect(again.isEnd)
        #expect(Set(again.entries.map { "\($0.name)" }) == Set(seen + ["moved in", "new1", "new2", "new3"]))
    }

    @Test("the bound of a listing stays good when the server starts anew")
    func boundAfterRestart() throws {
        let shoal = try NamespaceFixture()
        for index in 0..<4 { _ = try shoal.create("old\(index)") }
        let first = try shoal.page(limit: 2)
        try shoal.restart()
        _ = try shoal.create("new")
        let rest = try shoal.page(after: try #require(first.entries.last).cookie, before: first.before)
        #expect(rest.entries.map { "\($0.name)" } == ["old2", "old3"])
    }

    @Test("a page is bounded, says when it is the last, and carries attributes if asked")
    func pages() throws {
        let shoal = try NamespaceFixture()
        let file = try shoal.create("a")
        let directory = try shoal.directory("d")
        let bare = try shoal.page(limit: 1)
        #expect(bare.entries.map(\.inode) == [file])
        #expect(bare.entries[0].attributes == nil)
        #expect(!bare.isEnd)
        let full = try shoal.page(limit: 2, withAttributes: true)
        #expect(full.isEnd)
        #expect(full.entries[1].kind == .directory)
        #expect(full.entries.map(\.attributes) == [try shoal.attributes(file), try shoal.attributes(directory)])
        #expect(try shoal.page(after: .max).isEnd)
        #expect(try shoal.page(limit: 0).entries.count == 1)
        #expect(throws: MetadataError.file(.notDirectory)) { try shoal.page(file) }
    }

    @Test("a directory of 100,000 names is listed in pages, in order, each once")
    func large() throws {
        let shoal = try NamespaceFixture(limits: .production)
        let directory = try shoal.directory("big")
        let count = 100_000
        for index in 0..<count { _ = try shoal.create("n\(index)", in: directory) }
        var next = 0
        var after: UInt64 = 0
        while true {
            let page = try shoal.page(directory, after: after, limit: 1000)
            for entry in page.entries {
                if entry.name.bytes != Array("n\(next)".utf8) { Issue.record("\(entry.name) at place \(next)") }
                next += 1
            }
            if page.isEnd { break }
            after = try #require(page.entries.last).cookie
        }
        #expect(next == count)
        #expect(throws: MetadataError.file(.notEmpty)) { try shoal.removeDirectory("big") }
    }

    @Test("a listing in the transaction that changes the directory shows the change")
    func ownChanges() throws {
        let shoal = try NamespaceFixture()
        for name in ["a", "b", "c"] { _ = try shoal.create(name) }
        var transaction = shoal.namespace.begin()
        _ = try Unlink(shoal.nameRequest("b")).execute(&transaction, shoal.context)
        var create = CreateRequest()
        create.parent = .root
        create.name = try FileName("d".utf8)
        _ = try CreateNode(create).execute(&transaction, shoal.context)
        _ = try Rename(shoal.renameRequest("a", in: .root, to: "e", into: .root, .replace))
            .execute(&transaction, shoal.context)
        let list = ReadDirectory(
            ReadDirectoryRequest(caller: Caller(), inode: .root, after: 0, before: 0, limit: 10, withAttributes: true))
        let names = try list.execute(&transaction, shoal.context).entries.map { "\($0.name)" }
        #expect(names == ["e", "c", "d"])
        _ = consume transaction
        #expect(try shoal.names() == ["a", "b", "c"])
    }
}
