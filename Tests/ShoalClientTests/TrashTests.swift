import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Removing files while the trash is on")
struct TrashTests {
    private func list(_ cluster: Cluster, _ client: Client, _ directory: InodeID) throws -> [FileName] {
        let page: ReadDirectoryReply = try cluster.wait {
            client.readDirectory(directory, after: 0, before: 0, limit: 100, withAttributes: true, completion: $0)
        }
        return page.entries.map(\.name)
    }

    @Test("What a mount removes it finds in the trash at once, though it had listed the trash before")
    func listedBefore() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        try cluster.wait { a.setTrash(keepSeconds: 100, completion: $0) }
        let names = ["f", "g", "h"]
        let files = try names.map { try cluster.create(a, $0, opens: false) }
        try cluster.wait { a.unlink(.root, named("f"), completion: $0) }
        let first: ListTrashReply = try cluster.wait { b.trash(after: TrashPlace(), completion: $0) }
        let hour = try #require(first.items.first).directory
        for client in [a, b] { #expect(try list(cluster, client, hour).count == 1) }
        try cluster.wait { a.unlink(.root, named("g"), completion: $0) }
        #expect(try list(cluster, a, hour).count == 2)
        try cluster.wait { a.rename(.root, named("h"), to: .root, named("i"), .replace, completion: $0) }
        let replaced = try cluster.create(a, "h", opens: false)
        try cluster.wait { a.rename(.root, named("i"), to: .root, named("h"), .replace, completion: $0) }
        let whole: ListTrashReply = try cluster.wait { b.trash(after: TrashPlace(), completion: $0) }
        #expect(whole.items.map(\.place.inode) == [files[0], files[1], replaced])
        for client in [a, b] {
            for item in whole.items {
                let found: FileAttributes? = try cluster.wait { client.lookup(hour, item.name, completion: $0) }
                #expect(found?.inode == item.place.inode)
            }
        }
        let times = try [a, b].map { client in
            try cluster.wait { client.attributes(of: hour, completion: $0) }.modifyTime
        }
        #expect(times[0] == times[1])
    }
}
