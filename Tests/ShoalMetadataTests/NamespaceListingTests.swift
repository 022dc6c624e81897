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
            ReadDirectoryRequest(caller: Caller(), inode: .root, after: 0, limit: 10, withAttributes: true))
        let names = try list.execute(&transaction, shoal.context).entries.map { "\($0.name)" }
        #expect(names == ["e", "c", "d"])
        _ = consume transaction
        #expect(try shoal.names() == ["a", "b", "c"])
    }
}
