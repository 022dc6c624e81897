import ShoalRPC
import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

@testable import ShoalClient

/// Record locks and flock, between production clients and the production core, in virtual time.
@Suite("Client: record locks and flock")
struct LockTests {
    private let inode = InodeID(3)
    private func target(_ owner: UInt64, _ kind: LockKind) -> LockTarget {
        LockTarget(inode: inode, kind: kind, owner: LockOwner(owner))
    }

    @discardableResult
    private func lock(
        _ client: Client, _ owner: UInt64, _ mode: LockMode?, kind: LockKind = .record, waits: Bool = false,
        file: UInt64 = 1, _ done: @escaping Completion<Void> = { _ in }
    ) -> LockCall {
        client.setLock(
            target(owner, kind), .whole, mode, file: OpenFileID(file), process: 1, waits: waits, completion: done)
    }

    @Test("a file that was never locked is closed without a word to the server")
    func silentClose() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        var requests = 0
        cluster.board.observe = { _, operation, _ in if operation == .setLock { requests += 1 } }
        try cluster.wait { a.ownerClosed(inode, LockOwner(1), completion: $0) }
        try cluster.wait { a.fileReleased(OpenFileID(1), completion: $0) }
        #expect(requests == 0)
        try cluster.wait { lock(a, 1, .exclusive, $0) }
        try cluster.wait { a.ownerClosed(inode, LockOwner(2), completion: $0) }
        #expect(requests == 1)
        try cluster.wait { a.ownerClosed(inode, LockOwner(1), completion: $0) }
        #expect(requests == 2)
        try cluster.wait { a.ownerClosed(inode, LockOwner(1), completion: $0) }
        #expect(requests == 2)
    }

    @Test("the end of an open file frees what was locked through it; that of one of two does not")
    func release() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        try cluster.wait { lock(a, 1, .exclusive, file: 1, $0) }
        try cluster.wait { lock(a, 1, .exclusive, file: 2, $0) }
        try cluster.wait { a.fileReleased(OpenFileID(1), completion: $0) }
        #expect(throws: FileError.tryAgain) { try cluster.wait { lock(b, 1, .shared, $0) } }
        try cluster.wait { a.fileReleased(OpenFileID(2), completion: $0) }
        try cluster.wait { lock(b, 1, .shared, $0) }
    }

    @Test("a wait ends when it is interrupted, connected or not, and leaves no lock")
    func interrupts() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        try cluster.wait { lock(a, 1, .exclusive, $0) }
        for cut in [false, true] {
            var result: Result<Void, FileError>?
            let call = lock(b, 1, .exclusive, waits: true) { result = $0 }
            cluster.scheduler.run(for: .milliseconds(100))
            #expect(result == nil)
            if cut {
                cluster.board.cut(SimulatedMetadata.address, of: "b")
                cluster.scheduler.run(for: .milliseconds(1))
            }
            b.interrupt(call)
            cluster.scheduler.run(for: .milliseconds(1)) { result != nil }
            #expect(throws: FileError.interrupted) { try #require(result).get() }
        }
        cluster.scheduler.run(for: .seconds(2))
        try cluster.wait { lock(a, 1, nil, $0) }
        try cluster.wait { lock(a, 2, .exclusive, $0) }
    }

    @Test(
        "a lock that is lowered to a shared one while the connection breaks is nobody else's",
        arguments: LockKind.allCases)
    func lowering(kind: LockKind) throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        try cluster.wait { lock(a, 1, .exclusive, kind: kind, $0) }
        var waited: Result<Void, FileError>?
        lock(b, 1, .exclusive, kind: kind, waits: true) { waited = $0 }
        cluster.scheduler.run(for: .milliseconds(100))
        var lowered: Result<Void, FileError>?
        lock(a, 1, .shared, kind: kind) { lowered = $0 }
        cluster.board.cut(SimulatedMetadata.address, of: "a")
        cluster.scheduler.run(for: .seconds(2))
        try #require(lowered).get()
        #expect(waited == nil)
        try cluster.wait { lock(a, 1, nil, kind: kind, $0) }
        cluster.scheduler.run(for: .milliseconds(10)) { waited != nil }
        try #require(waited).get()
    }

    @Test("held locks outlive a restart of the server, and waits go on after it")
    func restart() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        try cluster.wait { lock(a, 1, .exclusive, $0) }
        var result: Result<Void, FileError>?
        lock(b, 1, .exclusive, waits: true) { result = $0 }
        cluster.metadata.restart(after: .seconds(1))
        cluster.scheduler.run(for: .seconds(20))
        #expect(result == nil)
        try cluster.wait { lock(a, 1, nil, $0) }
        cluster.scheduler.run(for: .milliseconds(10)) { result != nil }
        try #require(result).get()
    }

    @Test("after the end of its session a file that had locks fails until it is closed, others do not")
    func lost() throws {
        let cluster = try Cluster()
        let (a, b) = (try cluster.client("a"), try cluster.client("b"))
        try cluster.wait { lock(a, 1, .exclusive, file: 1, $0) }
        var result: Result<Void, FileError>?
        lock(b, 1, .exclusive, waits: true) { result = $0 }
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        cluster.scheduler.run(for: .seconds(12)) { result != nil }
        try #require(result).get()
        cluster.networks["a"]?.unreachable = []
        cluster.scheduler.run(for: .seconds(5))
        #expect(a.hasLostLocks(OpenFileID(1)))
        #expect(!a.hasLostLocks(OpenFileID(2)))
        #expect(throws: FileError.inputOutput) { try cluster.wait { lock(a, 1, .shared, file: 1, $0) } }
        #expect(throws: FileError.tryAgain) { try cluster.wait { lock(a, 1, .shared, file: 2, $0) } }
        try cluster.wait { a.fileReleased(OpenFileID(1), completion: $0) }
        #expect(!a.hasLostLocks(OpenFileID(1)))
    }

    @Test("whatever connections break and servers restart: a lock has one holder, and nobody waits for ever")
    func random() throws {
        let first = requestedSeed() ?? UInt64.random(in: 0...UInt64.max)
        for round in 0..<(requestedSeed() == nil ? 12 : 1) as Range<UInt64> {
            print("SHOAL_TEST_SEED=\(first &+ round)")
            try LockWorld(seed: first &+ round).run(steps: 300)
        }
    }
}
