import ShoalSimulation
import ShoalTypes
import ShoalWire
import Testing

@testable import ShoalClient

@Suite("Sessions that end while something is under way")
struct SessionTests {
    @Test("A change that an expired session may have executed is not executed again in the next session")
    func changeOfAnEndedSession() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let session = a.session
        var result: Result<FileAttributes, FileError>?
        a.create(.root, named("x"), Client.NewFile(mode: 0o100644, uid: 0, gid: 0)) { result = $0 }
        // The server executes it; the reply is lost.
        cluster.scheduler.run(for: .microseconds(60))
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        cluster.scheduler.run(for: .seconds(12))
        #expect(try cluster.lookup(b, "x") != nil)
        try cluster.wait { b.unlink(.root, named("x"), completion: $0) }
        cluster.networks["a"]?.unreachable = []
        #expect(cluster.scheduler.run(for: .seconds(30)) { result != nil })
        #expect(a.session != session)
        #expect(result?.failure == .stale)
        #expect(try cluster.lookup(b, "x") == nil)
    }

    @Test("A reservation that fails late does not hide why the bytes were lost")
    func lateReservation() throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let b = try cluster.client("b")
        let file = try cluster.create(a, "f")
        cluster.networks["a"]?.unreachable = [SimulatedMetadata.address]
        // Past the first chunk: the server must be told before the bytes go.
        try cluster.write(a, file, .at(5 << 20), pattern(1 << 20, 1))
        cluster.scheduler.run(for: .seconds(12))
        try cluster.write(b, file, .at(0), pattern(100, 2))
        cluster.networks["a"]?.unreachable = []
        #expect(cluster.scheduler.run(for: .seconds(60)) { a.metadata.leasesAreUsable })
        #expect(throws: FileError.inputOutput) { try cluster.flush(a, file) }
        #expect(try cluster.read(a, file) == pattern(100, 2))
    }

    @Test(
        "What a refused reservation said is what close reports, once",
        arguments: [
            (WireStatus.failed(.noSpace), FileError.noSpace), (.failed(.notFound), .notFound),
            (.failed(.inputOutput), .inputOutput), (.staleLease, .inputOutput),
        ])
    func refusedReservation(status: WireStatus, error: FileError) throws {
        let cluster = try Cluster()
        let a = try cluster.client("a")
        let file = try cluster.create(a, "f")
        cluster.metadata.refusals[.commitWrites] = status
        try cluster.write(a, file, .at(5 << 20), pattern(1 << 20, 1))
        #expect(throws: error) { try cluster.flush(a, file) }
        cluster.metadata.refusals = [:]
        try cluster.sync(a, file)
    }
}
