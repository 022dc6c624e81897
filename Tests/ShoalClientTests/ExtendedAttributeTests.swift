import ShoalMetadata
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Extended attributes in a client")
struct ExtendedAttributeTests {
    private func set(
        _ cluster: Cluster, _ client: Client, _ file: InodeID, _ name: ExtendedAttributeName, _ value: [UInt8]
    ) throws {
        try cluster.wait { client.setExtendedAttribute(name, of: file, to: value, [], completion: $0) }
    }

    private func get(
        _ cluster: Cluster, _ client: Client, _ file: InodeID, _ name: ExtendedAttributeName
    ) throws -> [UInt8]? {
        do {
            return try cluster.wait { client.extendedAttribute(name, of: file, completion: $0) }
        } catch FileError.noData { return nil }
    }

    private func asked(_ cluster: Cluster) -> Int {
        let counts = cluster.metadata.requestCounts
        return counts[.listExtendedAttributes, default: 0] + counts[.getExtendedAttribute, default: 0]
    }

    @Test("that an inode has no attributes is known with its lease; what it has is asked for once")
    func local() throws {
        let cluster = try Cluster()
        let client = try cluster.client("a")
        let file = try cluster.create(client, "f")
        for _ in 0..<10 { #expect(try get(cluster, client, file, .capability) == nil) }
        try cluster.write(client, file, .at(0), pattern(100, 1))
        #expect(asked(cluster) == 0)
        let name = try ExtendedAttributeName("user.a".utf8)
        try set(cluster, client, file, name, [1])
        for _ in 0..<10 {
            #expect(try get(cluster, client, file, name) == [1])
            #expect(try get(cluster, client, file, .accessList) == nil)
        }
        #expect(try cluster.wait { client.extendedAttributeNames(of: file, completion: $0) } == [name])
        #expect(asked(cluster) == 1)
    }

    @Test("a change on one client is seen by the other at once: attributes made, changed and removed")
    func coherence() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        let file = try cluster.create(a, "f")
        let name = try ExtendedAttributeName("user.a".utf8)
        for round in 0..<20 {
            let (one, other) = round % 2 == 0 ? (a, b) : (b, a)
            #expect(try get(cluster, other, file, name) == (round == 0 ? nil : [UInt8(round - 1)]))
            try set(cluster, one, file, name, [UInt8(round)])
            #expect(try get(cluster, other, file, name) == [UInt8(round)])
            #expect(try get(cluster, one, file, name) == [UInt8(round)])
        }
        try cluster.wait { a.removeExtendedAttribute(name, of: file, completion: $0) }
        #expect(try get(cluster, b, file, name) == nil)
    }

    @Test("values too long for a listing are got one by one")
    func long() throws {
        let cluster = try Cluster()
        let client = try cluster.client("a")
        let file = try cluster.create(client, "f")
        let name = try ExtendedAttributeName("user.long".utf8)
        let value = pattern(ExtendedAttributeLimits.valueBytesMax, 3)
        try set(cluster, client, file, name, value)
        #expect(try get(cluster, client, file, name) == value)
        #expect(try get(cluster, client, file, .capability) == nil)
        #expect(client.extendedAttributeBytes < 1000)
    }

    @Test("an ACL that says what the mode says already costs the writer of a file no request, and is seen in its ctime")
    func minimalList() throws {
        let cluster = try Cluster()
        let (client, other) = (try cluster.client("a"), try cluster.client("b"))
        let file = try cluster.create(client, "f")
        let before = try cluster.wait { client.attributes(of: file, completion: $0) }.changeTime
        cluster.scheduler.run(for: .milliseconds(10))
        let list: [UInt8] = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 4, 0, 4, 0, 255, 255, 255, 255,
            32, 0, 4, 0, 255, 255, 255, 255,
        ]
        try set(cluster, client, file, .accessList, list)
        #expect(cluster.metadata.requestCounts[.setExtendedAttribute] == nil)
        let after = try cluster.wait { client.attributes(of: file, completion: $0) }.changeTime
        #expect(after > before)
        #expect(try cluster.wait { other.attributes(of: file, completion: $0) }.changeTime == after)
        #expect(try get(cluster, other, file, .accessList) == nil)
        // Another mode is the server's to set.
        try set(cluster, client, file, .accessList, Array(list.prefix(6)) + [7] + list.dropFirst(7))
        #expect(cluster.metadata.requestCounts[.setExtendedAttribute] == 1)
        #expect(try cluster.wait { other.attributes(of: file, completion: $0) }.permissions == 0o744)
    }

    @Test("what is cached stays within its bound, and goes with the lease")
    func bounded() throws {
        var limits = ClientLimits()
        limits.extendedAttributeBytesMax = 1000
        let cluster = try Cluster()
        let client = try cluster.client("a", limits: limits)
        let other = try cluster.client("b")
        let name = try ExtendedAttributeName("user.a".utf8)
        var files: [InodeID] = []
        for index in 0..<20 {
            let file = try cluster.create(client, "f\(index)")
            try set(cluster, client, file, name, zeros(100))
            #expect(try get(cluster, client, file, name) == zeros(100))
            #expect(client.extendedAttributeBytes <= 1000)
            files.append(file)
        }
        #expect(client.extendedAttributeBytes > 0)
        for file in files { try set(cluster, other, file, name, []) }
        #expect(client.extendedAttributeBytes == 0)
    }

    @Test("chmod rewrites the ACL that is cached; a write takes the file's capabilities, and then asks no more")
    func sideEffects() throws {
        let cluster = try Cluster()
        let client = try cluster.client("a")
        let file = try cluster.create(client, "f")
        let list: [UInt8] = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 4, 0, 6, 0, 255, 255, 255, 255,
            16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255,
        ]
        try set(cluster, client, file, .accessList, list)
        try set(cluster, client, file, .capability, [1])
        #expect(try get(cluster, client, file, .accessList) == list)
        var change = AttributeChange()
        change.permissions = 0o604
        _ = try cluster.wait { client.setAttributes(of: file, change, completion: $0) }
        let changed = try #require(try get(cluster, client, file, .accessList))
        #expect(changed[22] == 0)
        #expect(changed[30] == 4)
        #expect(try get(cluster, client, file, .capability) == [1])
        try cluster.write(client, file, .at(0), pattern(100, 1))
        #expect(try get(cluster, client, file, .capability) == nil)
        let before = asked(cluster)
        for round in 0..<5 { try cluster.write(client, file, .at(UInt64(round) * 100), pattern(100, 1)) }
        #expect(asked(cluster) == before)
    }
}
