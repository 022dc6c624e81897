import Foundation
import Logging
import ShoalMetadataServer
import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization
import Testing

@Suite("Metadata server", .serialized)
struct MetadataServiceTests {
    /// A directory that is gone when the test is over.
    final class Directory {
        let path: String
        init() {
            path = "/tmp/shoal-metadata-test-\(UUID().uuidString)"
            mkdir(path, 0o700)
        }
        deinit {
            do { try FileManager.default.removeItem(atPath: path) } catch { Issue.record("\(path) stays behind: \(error)") }
        }
        func write(_ text: String, to name: String) {
            #expect(FileManager.default.createFile(atPath: "\(path)/\(name)", contents: Data(text.utf8)))
        }
    }

    private func start(
        _ directory: Directory, port: UInt16 = 0, durability: MetadataOptions.Durability = .fsync
    ) throws(MetadataServerError) -> MetadataService {
        var options = MetadataOptions()
        options.partitions = 16
        options.durability = durability
        return try MetadataService(
            directory: directory.path, listen: HostPort(host: "127.0.0.1", port: port), options: options,
            logger: Logger(label: "test"))
    }

    private func failure(_ directory: Directory, port: UInt16 = 0) -> String? {
        do throws(MetadataServerError) {
            try start(directory, port: port).terminate()
            return nil
        } catch {
            return error.description
        }
    }

    @Test("what was answered is there after a stop, and after an end without a stop", arguments: [true, false])
    func restart(isClean: Bool) throws {
        let directory = Directory()
        let service = try start(directory)
        let client = ServiceClient(service.address)
        try client.open()
        let made = try client.create("f", change: 1)
        let closed = client.call(.closeSession, SessionRequest(session: client.session.withLock { $0 }))
        #expect(closed.0 == .ok)
        let cluster = service.cluster
        if isClean { try service.stop() } else { service.terminate() }
        client.shutDown()
        let again = try start(directory)
        #expect(again.cluster == cluster)
        let other = ServiceClient(again.address)
        try other.open()
        let caller = Caller(session: other.session.withLock { $0 })
        let found: LookupReply = try other.ask(
            .lookup, NameRequest(caller: caller, parent: .root, name: try FileName(Array("f".utf8))))
        #expect(found.found?.attributes.inode == made.attributes.inode)
        other.shutDown()
        again.terminate()
    }

    @Test("two clients on real connections: a recall is answered, the change goes through, a sync is answered",
        arguments: MetadataOptions.Durability.allCases)
    func recall(durability: MetadataOptions.Durability) throws {
        let directory = Directory()
        let service = try start(directory, durability: durability)
        let (a, b) = (ServiceClient(service.address), ServiceClient(service.address))
        try a.open()
        try b.open()
        _ = try a.create("a", change: 1)
        // Both need the root's names, and take them from each other.
        for round in 0..<50 {
            _ = try b.create("b\(round)", change: UInt64(round + 1))
            _ = try a.create("a\(round)", change: UInt64(round + 2))
        }
        #expect(a.call(.syncMetadata, Empty()).0 == .ok)
        let status: ClusterStatusReply = try b.ask(.clusterStatus, Empty())
        #expect(status.inodes == 102)
        #expect(status.sessions.count == 2)
        a.shutDown()
        b.shutDown()
        try service.stop()
    }

    @Test("what cannot be started says why in one line")
    func refusals() throws {
        let directory = Directory()
        let service = try start(directory)
        let port = service.address.port
        #expect(failure(Directory(), port: port) == "127.0.0.1:\(port): the port is in use")
        #expect(failure(directory) == "directory \(directory.path) is in use by another process")
        service.terminate()
        #expect(failure(directory) == nil)

        let foreign = Directory()
        foreign.write("mine", to: "thesis.txt")
        #expect(failure(foreign) == "directory \(foreign.path) is not empty and not a metadata server's")

        directory.write("rubbish", to: "identity")
        #expect(
            failure(directory)
                == "identity file \(directory.path)/identity is corrupt: not a metadata server's identity")
        directory.write("shoal metadata server\nformat 9\ncluster 0000000000000001\n", to: "identity")
        #expect(
            failure(directory)
                == "identity file \(directory.path)/identity has format 9, which this release does not know")
        directory.write("shoal metadata server\nformat 1\ncluster 0000000000000001\n", to: "identity")
        #expect(failure(directory)?.contains("it names cluster 0000000000000001, the store") == true)
    }
}
