import ShoalMetadata
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Leases, names and recalls")
struct LeaseTests {
    @Test("A recall waits for the reads, writes and flushes under way, and answers")
    func recallInFlight() throws {
        let cluster = try Cluster()
        cluster.board.delay = 100...5000
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(1 << 20, 1))
        var pending = 0
        for round in 0..<30 {
            let (one, other) = round % 2 == 0 ? (a, b) : (b, a)
            pending += 4
            let patch = [UInt8](repeating: UInt8(round), count: 3000)
            patch.withUnsafeBytes { one.write(file, .at(UInt64(round) * 5000), $0) { _ in pending -= 1 } }
            one.sync(file) { _ in pending -= 1 }
            other.read(file, offset: UInt64(round) * 4000, length: 200_000) { _ in pending -= 1 }
            patch.withUnsafeBytes { other.write(file, .at(500_000 + UInt64(round) * 5000), $0) { _ in pending -= 1 } }
        }
        #expect(cluster.scheduler.run(for: .seconds(120)) { pending == 0 })
        #expect(try cluster.read(a, file) == cluster.read(b, file))
        for round in 0..<30 {
            #expect(try cluster.read(b, file, UInt64(round) * 5000, 3000).allSatisfy { $0 == UInt8(round) })
        }
    }

    @Test("A writer that another reads from keeps what it has cached")
    func recallToRead() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(100_000, 1))
        #expect(try cluster.read(b, file) == pattern(100_000, 1))
        let before = cluster.nodes.reduce(0) { $0 + $1.readCount }
        #expect(try cluster.read(a, file) == pattern(100_000, 1))
        #expect(cluster.nodes.reduce(0) { $0 + $1.readCount } == before)
    }

    @Test("A file that is unlinked while open can be read and written until it is closed")
    func unlinkWhileOpen() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(9000, 1))
        #expect(try cluster.lookup(b, "f") == file)
        try cluster.wait { b.unlink(.root, named("f"), completion: $0) }
        #expect(try cluster.lookup(a, "f") == nil)
        try cluster.write(a, file, .at(9000), pattern(10, 2))
        #expect(try cluster.read(a, file) == pattern(9000, 1) + pattern(10, 2))
        try cluster.wait { a.release(file, completion: $0) }
        cluster.scheduler.run(for: .seconds(10))
        #expect(cluster.metadata.core.namespace.inodeCount == 1, "only the root is left")
    }

    @Test("Names, absent names and whole listings are cached, and no other client's change is missed")
    func names() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        #expect(try cluster.lookup(a, "x") == nil)
        let x = try cluster.create(b, "x")
        #expect(try cluster.lookup(a, "x") == x)
        try cluster.wait { b.rename(.root, named("x"), to: .root, named("y"), .replace, completion: $0) }
        #expect(try cluster.lookup(a, "x") == nil)
        #expect(try cluster.lookup(a, "y") == x)
        #expect(try cluster.lookup(b, "x") == nil)
        #expect(try cluster.lookup(b, "y") == x)
        _ = try cluster.wait {
            a.readDirectory(.root, after: 0, before: 0, limit: 100, withAttributes: true, completion: $0)
        }
        #expect(try cluster.lookup(a, "z") == nil)
        let z = try cluster.create(b, "z")
        #expect(try cluster.lookup(a, "z") == z)
        let y2 = try cluster.create(a, "y2")
        try cluster.wait { a.rename(.root, named("y2"), to: .root, named("y"), .replace, completion: $0) }
        #expect(try cluster.lookup(a, "y") == y2)
        #expect(try cluster.lookup(b, "y") == y2)
    }

    @Test("A name that was forgotten during a listing is not taken for absent at its end")
    func forgottenDuringListing() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let x = try cluster.create(a, "x")
        for name in ["p", "q", "r"] { _ = try cluster.create(a, name) }
        #expect(try cluster.lookup(a, "x") == x)
        let first = try cluster.wait {
            a.readDirectory(.root, after: 0, before: 0, limit: 2, withAttributes: false, completion: $0)
        }
        #expect(throws: FileError.exists) { _ = try cluster.create(a, "x") }
        let cookie = try #require(first.entries.last).cookie
        _ = try cluster.wait {
            a.readDirectory(.root, after: cookie, before: first.before, limit: 9, withAttributes: false, completion: $0)
        }
        #expect(try cluster.lookup(a, "x") == x)
    }

    @Test("A listing that was begun before others made names is not taken for all there is when it ends")
    func boundedListing() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        for name in ["p", "q", "r"] { _ = try cluster.create(a, name) }
        func list(after: UInt64, before: UInt64, limit: Int) throws -> ReadDirectoryReply {
            try cluster.wait {
                a.readDirectory(
                    .root, after: after, before: before, limit: limit, withAttributes: false, completion: $0)
            }
        }
        let old = try list(after: 0, before: 0, limit: 2)
        let x = try cluster.create(b, "x")
        // A name that nobody has: this asks for the lease again.
        #expect(try cluster.lookup(a, "y") == nil)
        // A second listing comes, under the new lease, to where the first one goes on.
        let second = try list(after: 0, before: 0, limit: 2)
        let cookie = try #require(old.entries.last).cookie
        #expect(try #require(second.entries.last).cookie == cookie)
        #expect(try list(after: cookie, before: old.before, limit: 9).entries.map { "\($0.name)" } == ["r"])
        #expect(try cluster.lookup(a, "x") == x)
    }

    @Test("What was removed and is open still can be looked at and changed by the mount that removed it")
    func changeRemoved() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let fifo = Client.NewFile(mode: FileKind.fifo.rawValue | 0o600, uid: 1, gid: 2)
        let made = try cluster.wait { a.create(.root, named("p"), fifo, completion: $0) }
        a.noteAccess(made.inode)
        let read = try cluster.wait { a.attributes(of: made.inode, completion: $0) }.accessTime
        #expect(read > made.accessTime)
        try cluster.wait { a.unlink(.root, named("p"), completion: $0) }
        #expect(try cluster.wait { a.attributes(of: made.inode, completion: $0) }.accessTime == read)
        var change = AttributeChange()
        change.permissions = 0o4711
        _ = try cluster.wait { a.setAttributes(of: made.inode, change, completion: $0) }
        change.permissions = nil
        change.gid = 7
        change.modifyTime = Timestamp(seconds: 5)
        let changed = try cluster.wait { a.setAttributes(of: made.inode, change, completion: $0) }
        #expect((changed.permissions, changed.uid, changed.gid, changed.linkCount) == (0o711, 1, 7, 0))
        #expect(changed.modifyTime == Timestamp(seconds: 5))
        #expect(try cluster.wait { a.attributes(of: made.inode, completion: $0) } == changed)
        a.kernelForgot(made.inode, lookups: 1)
        #expect(throws: FileError.notFound) {
            try cluster.wait { a.setAttributes(of: made.inode, change, completion: $0) }
        }
    }

    @Test("An access that is on its way to the server is not unseen by an answer from before it")
    func accessInFlight() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let id = try cluster.create(a, "f")
        try cluster.write(a, id, .at(0), pattern(10, 1))
        var change = AttributeChange()
        // In the future, and before the modify time: an access takes its place all the same.
        change.accessTime = Timestamp(seconds: 1 << 40)
        change.modifyTime = Timestamp(seconds: 1 << 41)
        _ = try cluster.wait { a.setAttributes(of: id, change, completion: $0) }
        _ = try cluster.read(a, id)
        let read = try cluster.wait { a.attributes(of: id, completion: $0) }.accessTime
        #expect(read < Timestamp(seconds: 1 << 40))
        a.sendAccessTimes()
        let known = try #require(a.inodes.existing(id))
        // What an answer brings that the server gave before the access came.
        var old = known.attributes
        old.accessTime = Timestamp(seconds: 1 << 40)
        a.merge(old, into: known, keepsChanges: true)
        #expect(known.attributes.accessTime == read)
        cluster.scheduler.run(for: .seconds(2))
        #expect(a.accessTimesInFlight.isEmpty)
        let b = try cluster.client("b")
        #expect(try cluster.wait { b.attributes(of: id, completion: $0) }.accessTime == read)
    }

    @Test("Past its limit the client gives cold leases back, and nobody is told a wrong size meanwhile")
    func coldLeases() throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.inodesMax = 20
        let a = try cluster.client("a", limits: limits)
        let b = try cluster.client("b")
        var files: [InodeID] = []
        for number in 0..<60 {
            let file = try cluster.create(a, "f\(number)")
            files.append(file)
            try cluster.write(a, file, .at(0), pattern(1000 + number, 1))
            try cluster.flush(a, file)
            try cluster.wait { a.release(file, completion: $0) }
            cluster.scheduler.run(for: .milliseconds(400))
        }
        #expect(a.inodes.count <= 21)
        for (number, file) in files.enumerated() { #expect(try cluster.size(b, file) == UInt64(1000 + number)) }
    }

    @Test("A glimpse of a lease that the client no longer has is refused, not answered with nothing")
    func staleGlimpse() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(1000, 1))
        try cluster.sync(a, file)
        try cluster.wait { a.release(file, completion: $0) }
        let inode = try #require(a.inodes.existing(file))
        #expect(inode.isIdle && inode.grant.mode == .write)
        // The give-back and the other client's question cross on the way.
        var size: UInt64?
        b.attributes(of: file) { result in if case .success(let found) = result { size = found.size } }
        cluster.scheduler.run(for: .microseconds(60))
        a.giveBack([HeldLease(inode: file, mode: .none, sequence: inode.grant.sequence)])
        a.forgetCached(inode)
        a.inodes.remove(inode)
        cluster.scheduler.run(for: .seconds(5)) { size != nil }
        #expect(size == 1000)
    }

    @Test("A sequential reader is served ahead, with the right bytes, while another client writes")
    func readAhead() throws {
        let cluster = try Cluster()
        cluster.board.delay = 50...2000
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        var bytes = pattern(3 << 20, 1)
        try cluster.write(a, file, .at(0), bytes)
        for start in stride(from: 0, to: bytes.count, by: 128 << 10) {
            #expect(try cluster.read(b, file, UInt64(start), 128 << 10) == Array(bytes[start..<start + 128 << 10]))
            let ahead = (start + 700_000) % (bytes.count - 5000)
            let patch = pattern(5000, UInt8(truncatingIfNeeded: start >> 17))
            bytes.replaceSubrange(ahead..<ahead + 5000, with: patch)
            try cluster.write(a, file, .at(UInt64(ahead)), patch)
        }
    }

    @Test("A scan pushes out what is used again and again under lru, not under lfu", arguments: CachePolicy.allCases)
    func scan(policy: CachePolicy) throws {
        let cluster = try Cluster()
        var limits = ClientLimits.production
        limits.cacheBytesMax = 2 << 20
        limits.cachePolicy = policy
        limits.readAheadBytesMin = 128 << 10
        limits.readAheadBytesMax = 128 << 10
        let a = try cluster.client("a")
        let b = try cluster.client("b", limits: limits)
        let hot = try cluster.create(a, "hot")
        let cold = try cluster.create(a, "cold")
        try cluster.write(a, hot, .at(0), pattern(256 << 10, 1))
        for part in 0..<4 { try cluster.write(a, cold, .at(UInt64(part) << 20), pattern(1 << 20, 2)) }
        for _ in 0..<5 { _ = try cluster.read(b, hot, 0, 256 << 10) }
        for part in 0..<32 { _ = try cluster.read(b, cold, UInt64(part) << 17, 128 << 10) }
        let before = cluster.nodes.reduce(0) { $0 + $1.readCount }
        #expect(try cluster.read(b, hot, 0, 256 << 10) == pattern(256 << 10, 1))
        let isCached = cluster.nodes.reduce(0) { $0 + $1.readCount } == before
        #expect(isCached == (policy == .lfu))
    }

    @Test("An upload is seen whole or not at all")
    func upload() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let upload: Upload = try cluster.wait { Upload.prepare(a, size: 9000, completion: $0) }
        try cluster.wait { upload.append(pattern(9000, 1), completion: $0) }
        #expect(try cluster.lookup(b, "u") == nil)
        let made: FileAttributes = try cluster.wait {
            upload.publish(.root, named("u"), mode: 0o100644, uid: 0, gid: 0, completion: $0)
        }
        #expect(try cluster.lookup(b, "u") == made.inode)
        #expect(try cluster.read(b, made.inode) == pattern(9000, 1))
        let other: Upload = try cluster.wait { Upload.prepare(a, size: 9000, completion: $0) }
        try cluster.wait { other.append(pattern(9000, 2), completion: $0) }
        var isDone = false
        other.abandon { isDone = true }
        #expect(cluster.scheduler.run(for: .seconds(10)) { isDone })
        #expect(try cluster.read(b, made.inode) == pattern(9000, 1))
    }

    @Test("A client that publishes an upload sees it at once, whatever it had cached under that name")
    func publisherSeesItsUpload() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        #expect(try cluster.lookup(a, "u") == nil)
        let file = try publish(pattern(9000, 1), cluster, a)
        #expect(try cluster.lookup(a, "u") == file)
        #expect(try cluster.read(a, file) == pattern(9000, 1))
        try cluster.write(a, file, .at(9000), pattern(2000, 2))
        #expect(try publish(pattern(6000, 3), cluster, a) == file)
        #expect(try cluster.read(a, file) == pattern(6000, 3))
        cluster.scheduler.run(for: .seconds(2))
        let b = try cluster.client("b")
        #expect(try cluster.read(b, file) == pattern(6000, 3))
        try cluster.write(a, file, .at(6000), pattern(1000, 4))
        #expect(try cluster.read(b, file) == pattern(6000, 3) + pattern(1000, 4))
    }

    private func publish(_ bytes: [UInt8], _ cluster: Cluster, _ client: Client) throws -> InodeID {
        let upload: Upload = try cluster.wait { Upload.prepare(client, size: UInt64(bytes.count), completion: $0) }
        try cluster.wait { upload.append(bytes, completion: $0) }
        return try cluster.wait {
            upload.publish(.root, named("u"), mode: 0o100644, uid: 0, gid: 0, completion: $0)
        }.inode
    }

    @Test("Opening a file takes no reader's lease away; its first write does")
    func openLeavesReaders() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        try cluster.write(a, file, .at(0), pattern(9000, 1))
        #expect(try cluster.read(b, file) == pattern(9000, 1))
        let before = cluster.nodes.reduce(0) { $0 + $1.readCount }
        try cluster.open(a, file)
        #expect(try cluster.read(b, file) == pattern(9000, 1))
        #expect(cluster.nodes.reduce(0) { $0 + $1.readCount } == before)
        try cluster.write(a, file, .at(0), pattern(9000, 2))
        #expect(b.inodes.existing(file)?.grant.mode ?? .none < .read)
        #expect(try cluster.read(b, file) == pattern(9000, 2))
    }

    @Test("An operation that waits for its turn and loses the lease fails, and does not run")
    func exclusiveUseWithoutLease() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let file = try cluster.create(a, "f")
        let inode = try #require(a.inodes.existing(file))
        var log: [String] = []
        var ends: [() -> Void] = []
        for _ in 0..<2 { a.withLease(.write, on: inode, failure: { log.append("\($0)") }) { ends.append($0) } }
        try #require(ends.count == 2)
        for number in 0..<2 {
            a.withExclusiveUse(of: inode) { error in
                log.append("\(number): \(error)")
                ends[number]()
            } _: {
                log.append("\(number) runs")
            }
        }
        #expect(log == ["0 runs"])
        cluster.metadata.refusals[.acquireLease] = .failed(.notFound)
        inode.grant.mode = .pin
        a.endExclusiveUse(of: inode)
        ends[0]()
        cluster.scheduler.run(for: .seconds(1))
        #expect(log == ["0 runs", "1: \(FileError.notFound)"])
        #expect(inode.active == 0)
    }

    @Test("A rename between two names of one file leaves both")
    func renameToItself() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let file = try cluster.create(a, "f")
        _ = try cluster.wait { a.link(file, .root, named("g"), completion: $0) }
        try cluster.wait { a.rename(.root, named("f"), to: .root, named("g"), .replace, completion: $0) }
        #expect(try cluster.lookup(a, "f") == file)
        #expect(try cluster.lookup(a, "g") == file)
    }
}
