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

    @Test(
        "Times, and an owner and permissions that stay, are set under the write lease without a request; all see them")
    func ownAttributes() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(10, 1))
        var asked: [Operation] = []
        cluster.board.observe = { address, operation, _ in
            if address == SimulatedMetadata.address { asked.append(operation) }
        }
        let before = try cluster.wait { a.attributes(of: file, completion: $0) }
        var change = AttributeChange()
        change.accessTime = Timestamp(seconds: 1 << 33)
        change.modifyTime = Timestamp(seconds: 7, nanoseconds: 8)
        (change.uid, change.gid, change.permissions) = (before.uid, before.gid, before.permissions)
        cluster.scheduler.run(for: .milliseconds(1))
        let here = try cluster.wait { a.setAttributes(of: file, change, completion: $0) }
        #expect(!asked.contains(.setAttributes))
        #expect(here.accessTime == Timestamp(seconds: 1 << 33))
        #expect(here.modifyTime == Timestamp(seconds: 7, nanoseconds: 8))
        #expect(here.changeTime > before.changeTime)
        func checkThere(_ attributes: FileAttributes) throws {
            let there = try cluster.wait { b.attributes(of: file, completion: $0) }
            #expect(there.accessTime == attributes.accessTime)
            #expect(there.modifyTime == attributes.modifyTime)
            #expect(there.changeTime == attributes.changeTime)
        }
        try checkThere(here)
        #expect(asked.contains(.getAttributes) && !asked.contains(.commitWrites))
        cluster.scheduler.run(for: .seconds(1))
        #expect(asked.contains(.commitWrites) && a.accessTimesToCommit.isEmpty)
        try checkThere(here)

        // Between the setting and the commit: an attribute that the server has to set, and a size.
        change.accessTime = Timestamp(seconds: 1 << 34)
        _ = try cluster.wait { a.setAttributes(of: file, change, completion: $0) }
        var permissions = AttributeChange()
        permissions.permissions = 0o600
        try checkThere(try cluster.wait { a.setAttributes(of: file, permissions, completion: $0) })
        #expect(asked.contains(.setAttributes))
        change.permissions = 0o600
        change.accessTime = Timestamp(seconds: 1 << 35)
        _ = try cluster.wait { a.setAttributes(of: file, change, completion: $0) }
        var size = AttributeChange()
        size.size = 5
        let cut = try cluster.wait { a.setAttributes(of: file, size, completion: $0) }
        #expect((cut.size, cut.accessTime) == (5, Timestamp(seconds: 1 << 35)))
        try checkThere(cut)
        cluster.scheduler.run(for: .seconds(1))
        try checkThere(cut)
    }

    @Test("An access time that was set by hand, and accesses around the commit that takes it along, do not go back")
    func accessesAfterSetTimes() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(10, 1))
        var change = AttributeChange()
        change.accessTime = a.wallClock
        // Later than any access: each counts.
        change.modifyTime = Timestamp(seconds: 1 << 33)
        _ = try cluster.wait { a.setAttributes(of: file, change, completion: $0) }
        var last = Timestamp()
        for pause in [1, 400, 1, 200, 300, 1, 2000] {
            cluster.scheduler.run(for: .milliseconds(Int64(pause)))
            _ = try cluster.read(a, file)
            let seen = try cluster.wait { a.attributes(of: file, completion: $0) }.accessTime
            #expect(seen > last)
            last = seen
            var permissions = AttributeChange()
            permissions.permissions = pause == 1 ? 0o600 : 0o644
            let changed = try cluster.wait { a.setAttributes(of: file, permissions, completion: $0) }
            #expect(changed.accessTime == seen, "after \(pause) ms")
        }
        cluster.scheduler.run(for: .seconds(2))
        let b = try cluster.client("b")
        #expect(try cluster.wait { b.attributes(of: file, completion: $0) }.accessTime == last)
    }

    private func makeDirectory(_ cluster: Cluster, _ client: Client, _ name: String) throws -> InodeID {
        let file = Client.NewFile(mode: FileKind.directory.rawValue | 0o755, uid: 0, gid: 0)
        return try cluster.wait { client.create(.root, named(name), file, completion: $0) }.inode
    }
}
