import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Round trips")
struct RoundTripTests {
    @Test("After unlink, rmdir and rename everything about the directories is known without asking again")
    func namesThatGo() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        _ = try cluster.create(a, "g")
        let one = try makeDirectory(cluster, a, "one")
        let two = try makeDirectory(cluster, a, "two")
        let three = try makeDirectory(cluster, a, "three")
        var asked: [Operation] = []
        cluster.board.observe = { address, operation, _ in
            if address == SimulatedMetadata.address, operation != .heartbeat { asked.append(operation) }
        }
        func check(_ inodes: [InodeID], _ expected: [Operation]) throws {
            let here = try inodes.map { inode in try cluster.wait { a.attributes(of: inode, completion: $0) } }
            let messages = asked
            asked = []
            #expect(messages.filter { $0 != .nodeHeartbeat } == expected)
            let there = try inodes.map { inode in try cluster.wait { b.attributes(of: inode, completion: $0) } }
            #expect(here.map(\.changeTime) == there.map(\.changeTime))
            #expect(here.map(\.linkCount) == there.map(\.linkCount))
            #expect(here.map(\.size) == there.map(\.size))
            cluster.scheduler.run(for: .milliseconds(3))
            asked = []
        }
        try cluster.wait { a.unlink(.root, named("g"), completion: $0) }
        try check([.root], [.unlink])
        try cluster.wait { a.rename(.root, named("f"), to: one, named("f"), .replace, completion: $0) }
        try check([.root, one, file], [.rename])
        try cluster.wait { a.rename(.root, named("three"), to: two, named("three"), .replace, completion: $0) }
        try check([.root, two, three], [.rename])
        try cluster.wait { a.rename(one, named("f"), to: two, named("three"), .exchange, completion: $0) }
        try check([one, two, three, file], [.rename])
        try cluster.wait { a.removeDirectory(one, named("f"), completion: $0) }
        try check([.root, one], [.removeDirectory])
    }

    private func makeDirectory(_ cluster: Cluster, _ client: Client, _ name: String) throws -> InodeID {
        let file = Client.NewFile(mode: FileKind.directory.rawValue | 0o755, uid: 0, gid: 0)
        return try cluster.wait { client.create(.root, named(name), file, completion: $0) }.inode
    }
}
