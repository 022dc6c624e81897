import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Writing in a quota tree")
struct QuotaTests {
    private static let limit: UInt64 = 100 << 10

    /// A client, and a directory that may hold `limit` bytes.
    private func makeTree(_ cluster: Cluster) throws -> (client: Client, tree: InodeID) {
        let client = try cluster.client("a")
        cluster.makeRoom(for: [client])
        let file = Client.NewFile(mode: FileKind.directory.rawValue | 0o755, uid: 0, gid: 0)
        let tree: FileAttributes = try cluster.wait { client.create(.root, named("q"), file, completion: $0) }
        let quota: QuotaListReply = try cluster.wait {
            client.setQuota(of: tree.inode, bytes: Self.limit, inodes: nil, completion: $0)
        }
        #expect(quota.entries.map(\.state) == [.active])
        return (client, tree.inode)
    }

    private func create(_ cluster: Cluster, _ client: Client, _ tree: InodeID, _ name: String) throws -> InodeID {
        var file = Client.NewFile(mode: FileKind.regular.rawValue | 0o644, uid: 0, gid: 0)
        file.opens = true
        return try cluster.wait { client.create(tree, named(name), file, completion: $0) }.inode
    }

    private func used(_ cluster: Cluster, _ client: Client, _ tree: InodeID) throws -> UInt64? {
        let list: QuotaListReply = try cluster.wait { client.quotas(of: tree, completion: $0) }
        return list.entries.first?.used.bytes
    }

    @Test("write says EDQUOT before anything is buffered; close returns at once, and what it closes is whole")
    func refusedWrite() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let b = try cluster.client("b")
        let file = try create(cluster, a, tree, "f")
        try cluster.write(a, file, .at(0), pattern(60 << 10, 1))
        #expect(throws: FileError.quota) { try cluster.write(a, file, .at(60 << 10), pattern(60 << 10, 2)) }
        #expect(try cluster.size(a, file) == 60 << 10)
        // A refused write is no failed write-back, after which closes wait.
        let sent = cluster.metadata.requestCounts[.commitWrites, default: 0]
        var wrote = false
        cluster.board.observe = { _, operation, _ in if operation == .writeChunk { wrote = true } }
        try cluster.flush(a, file)
        #expect(!wrote)
        try cluster.wait { a.release(file, completion: $0) }
        cluster.scheduler.run(for: .seconds(1))
        #expect(wrote)
        #expect(cluster.metadata.requestCounts[.commitWrites, default: 0] > sent)
        #expect(a.cache.dirtyBytes == 0)
        #expect(try used(cluster, a, tree) == 60 << 10)
        #expect(try cluster.read(b, file) == pattern(60 << 10, 1))
    }

    @Test(
        "What a refused reservation said is what write reports, and nothing of it is buffered",
        arguments: [
            (WireStatus.failed(.noSpace), FileError.noSpace), (.failed(.quota), .quota),
            (.failed(.notFound), .notFound), (.failed(.inputOutput), .inputOutput), (.staleLease, .inputOutput),
        ])
    func refusedReservation(status: WireStatus, error: FileError) throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let file = try create(cluster, a, tree, "f")
        cluster.metadata.refusals[.commitWrites] = status
        #expect(throws: error) { try cluster.write(a, file, .at(0), pattern(50_000, 1)) }
        #expect(a.cache.dirtyBytes == 0)
        try cluster.flush(a, file)
        cluster.metadata.refusals = [:]
        try cluster.write(a, file, .at(0), pattern(50_000, 1))
        try cluster.sync(a, file)
    }

    @Test("A write that waits for its reservation is not taken if the session ends meanwhile")
    func outage() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let b = try cluster.client("b")
        let file = try create(cluster, a, tree, "f")
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        cluster.networks["a"]?.unreachable = Set([SimulatedMetadata.address] + cluster.nodes.map(\.address))
        var result: Result<Int, FileError>?
        pattern(50_000, 1).withUnsafeBytes { a.write(file, .at(5000), $0) { result = $0 } }
        cluster.scheduler.run(for: .seconds(12))
        #expect(result == nil)
        try cluster.write(b, file, .at(0), pattern(100, 2))
        cluster.networks["a"]?.unreachable = []
        #expect(cluster.scheduler.run(for: .seconds(60)) { a.metadata.leasesAreUsable && result != nil })
        #expect(result?.failure == .inputOutput)
        #expect(throws: FileError.inputOutput) { try cluster.flush(a, file) }
        #expect(try cluster.read(a, file) == pattern(100, 2))
    }

    @Test("A file that no quota counts is written without waiting for the server, also past what is reserved")
    func uncounted() throws {
        let cluster = try Cluster()
        let (a, _) = try makeTree(cluster)
        let file = try cluster.create(a, "f")
        let sent = cluster.metadata.requestCounts[.commitWrites, default: 0]
        var result: Result<Int, FileError>?
        pattern(1 << 20, 1).withUnsafeBytes { a.write(file, .at(8 << 20), $0) { result = $0 } }
        #expect(try result?.get() == 1 << 20)
        #expect(cluster.metadata.requestCounts[.commitWrites, default: 0] == sent)
    }

    @Test("What a mount has taken when a quota comes over the file is written, and nothing more past the limit")
    func quotaOverWriter() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        cluster.makeRoom(for: [a])
        let directory = Client.NewFile(mode: FileKind.directory.rawValue | 0o755, uid: 0, gid: 0)
        let tree = try cluster.wait { a.create(.root, named("q"), directory, completion: $0) }.inode
        let file = try create(cluster, a, tree, "f")
        try cluster.write(a, file, .at(0), pattern(5 << 20, 1))
        let _: QuotaListReply = try cluster.wait {
            b.setQuota(of: tree, bytes: Self.limit, inodes: nil, completion: $0)
        }
        cluster.scheduler.run(for: .seconds(1))
        #expect(throws: FileError.quota) { try cluster.write(a, file, .end, [1]) }
        try cluster.sync(a, file)
        #expect(try used(cluster, a, tree) == 5 << 20)
        #expect(try cluster.read(b, file, 4 << 20) == Array(pattern(5 << 20, 1)[(4 << 20)...]))
    }

    @Test("What close gives back is there for the next write, though no byte has left for the nodes")
    func exactFit() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let part = Int(Self.limit) / 20
        var files: [InodeID] = []
        for number in 0..<20 {
            let file = try create(cluster, a, tree, "f\(number)")
            try cluster.write(a, file, .at(0), pattern(part, UInt8(number)))
            try cluster.flush(a, file)
            try cluster.wait { a.release(file, completion: $0) }
            files.append(file)
        }
        #expect(a.cache.dirtyBytes > 0)
        let last = try create(cluster, a, tree, "last")
        #expect(throws: FileError.quota) { try cluster.write(a, last, .at(0), [1]) }
        cluster.scheduler.run(for: .seconds(1))
        #expect(a.cache.dirtyBytes == 0)
        #expect(try used(cluster, a, tree) == Self.limit)
        for (number, file) in files.enumerated() {
            #expect(try cluster.read(a, file) == pattern(part, UInt8(number)))
        }
    }

    @Test("A commit that fails for its quota after close is the file's error, for whoever opens it next")
    func lateRefusal() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let file = try create(cluster, a, tree, "f")
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        cluster.metadata.refusals[.commitWrites] = .failed(.quota)
        try cluster.flush(a, file)
        try cluster.wait { a.release(file, completion: $0) }
        cluster.scheduler.run(for: .seconds(1))
        cluster.metadata.refusals[.commitWrites] = nil
        #expect(a.cache.dirtyBytes == 0)
        try cluster.open(a, file)
        #expect(throws: FileError.quota) { try cluster.flush(a, file) }
        try cluster.write(a, file, .at(0), pattern(5000, 2))
        try cluster.sync(a, file)
        #expect(try cluster.read(a, file) == pattern(5000, 2))
    }

    @Test("A commit that fails for its quota while the file is open is the error of its next close, and can be retried")
    func refusalWhileOpen() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let b = try cluster.client("b")
        let file = try create(cluster, a, tree, "f")
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        cluster.metadata.refusals[.commitWrites] = .failed(.quota)
        cluster.scheduler.run(for: .seconds(1))
        cluster.metadata.refusals[.commitWrites] = nil
        #expect(throws: FileError.quota) { try cluster.flush(a, file) }
        try cluster.sync(a, file)
        #expect(try cluster.read(b, file) == pattern(5000, 1))
    }

    @Test("Holes are filled in a full tree: their bytes count already")
    func fullTree() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let b = try cluster.client("b")
        let file = try create(cluster, a, tree, "f")
        try cluster.truncate(a, file, to: Self.limit)
        #expect(try used(cluster, a, tree) == Self.limit)
        for client in [a, b, a] {
            for place in [UInt64(0), 50_000] {
                try cluster.write(client, file, .at(place), pattern(9000, 1))
                try cluster.sync(client, file)
            }
        }
        let attributes = try cluster.wait { b.attributes(of: file, completion: $0) }
        #expect(attributes.allocatedBytes == 6 * 4096)
        #expect(try cluster.read(b, file, 50_000, 9000) == pattern(9000, 1))
        #expect(throws: FileError.quota) { try cluster.write(a, file, .end, [1]) }
        #expect(try used(cluster, a, tree) == Self.limit)
    }

    @Test("fallocate says EDQUOT itself, and what it reserved past the end is there again after close")
    func allocation() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let file = try create(cluster, a, tree, "f")
        let allocate: (Client.Allocation, UInt64, Bool) throws -> Void = { kind, end, keepsSize in
            try cluster.wait {
                a.allocate(file, kind, offset: 0, length: end, keepsSize: keepsSize, completion: $0)
            }
        }
        for kind in [Client.Allocation.reserve, .zero] {
            #expect(throws: FileError.quota) { try allocate(kind, Self.limit + 1, false) }
            #expect(try cluster.size(a, file) == 0)
        }
        #expect(throws: FileError.quota) { try allocate(.reserve, Self.limit + 1, true) }
        try allocate(.reserve, Self.limit, true)
        #expect(try cluster.size(a, file) == 0)
        let other = try create(cluster, a, tree, "g")
        #expect(throws: FileError.quota) { try cluster.write(a, other, .at(0), [1]) }
        try cluster.write(a, file, .at(0), pattern(5000, 1))
        try cluster.flush(a, file)
        try cluster.wait { a.release(file, completion: $0) }
        cluster.scheduler.run(for: .seconds(1))
        #expect(try used(cluster, a, tree) == 5000)
        try cluster.wait {
            a.allocate(other, .reserve, offset: 0, length: 50_000, keepsSize: false, completion: $0)
        }
        try cluster.sync(a, other)
        try cluster.wait { a.release(other, completion: $0) }
        cluster.scheduler.run(for: .seconds(1))
        #expect(try used(cluster, a, tree) == 55_000)
    }

    @Test("A copy stops at the quota, through the mount and from node to node", arguments: [0, 5])
    func copying(shift: UInt64) throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let source = try cluster.create(a, "source")
        try cluster.write(a, source, .at(0), pattern(200_000, 1))
        let file = try create(cluster, a, tree, "f")
        #expect(throws: FileError.quota) {
            try cluster.wait { a.copy(from: source, at: 0, to: file, at: shift, count: 200_000, completion: $0) }
        }
        let copied: Int = try cluster.wait {
            a.copy(from: source, at: 0, to: file, at: shift, count: 100_000, completion: $0)
        }
        #expect(copied == 100_000)
        try cluster.sync(a, file)
        #expect(try cluster.read(a, file, shift, 100_000) == pattern(100_000, 1))
    }

    @Test("A file that was just written moves into a tree that it fits into, whatever was reserved for it")
    func renames() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let small = try cluster.create(a, "small")
        try cluster.write(a, small, .at(0), pattern(60_000, 1))
        let large = try cluster.create(a, "large")
        try cluster.write(a, large, .at(0), pattern(60_000, 2))
        try cluster.wait { a.rename(.root, named("small"), to: tree, named("f"), .replace, completion: $0) }
        #expect(throws: FileError.quota) {
            try cluster.wait { a.rename(.root, named("large"), to: tree, named("g"), .replace, completion: $0) }
        }
        try cluster.write(a, small, .end, pattern(Int(Self.limit) - 60_000, 3))
        #expect(throws: FileError.quota) { try cluster.write(a, small, .end, [1]) }
        try cluster.sync(a, small)
        #expect(try used(cluster, a, tree) == Self.limit)
        #expect(try cluster.lookup(a, "large") == large)
        #expect(try cluster.read(a, large) == pattern(60_000, 2))
    }

    @Test("A file moves into a tree with all that was written to it, and is refused if that does not fit")
    func unreservedRename() throws {
        let cluster = try Cluster()
        let (a, tree) = try makeTree(cluster)
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(50_000, 1))
        try cluster.sync(a, file)
        try cluster.wait { a.release(file, completion: $0) }
        cluster.scheduler.run(for: .seconds(1))
        // Nothing is reserved any more.
        try cluster.open(a, file)
        try cluster.write(a, file, .end, pattern(100_000, 2))
        let move: () throws -> Void = {
            try cluster.wait { a.rename(.root, named("f"), to: tree, named("f"), .noReplace, completion: $0) }
        }
        #expect(throws: FileError.quota) { try move() }
        try cluster.truncate(a, file, to: 40_000)
        try cluster.write(a, file, .end, pattern(20_000, 3))
        try move()
        #expect(throws: FileError.quota) { try cluster.write(a, file, .end, pattern(60_000, 4)) }
        try cluster.sync(a, file)
        #expect(try used(cluster, a, tree) == 60_000)
        #expect(try cluster.read(a, file) == Array(pattern(50_000, 1)[..<40_000]) + pattern(20_000, 3))
    }
}
