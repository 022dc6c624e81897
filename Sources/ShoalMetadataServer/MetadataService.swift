import Dispatch
import Glibc
import Logging
import ShoalKeyValue
import ShoalMetadata
import ShoalRPC
import ShoalTransport
import ShoalTypes

/// What a new cluster is made with, and how its metadata server runs.
package struct MetadataServiceOptions: Sendable {
    /// Fixed when the cluster is made: 1...8.
    package var replicas: UInt8 = 2
    /// Fixed when the cluster is made: 1...65,535.
    package var partitions = Geometry.partitionCountDefault
    /// Every change is durable before it is answered; otherwise with the next fsync, as on a local filesystem.
    package var syncsEveryChange = false
    package init() {}
}

/// The metadata server: a loop that owns the core and calls the store without syncing, and a thread that syncs.
package final class MetadataService: Sendable {
    /// Where it listens, with the real port if 0 was asked for.
    package let address: HostPort
    private let loop: Loop
    private let listener: Listener
    private let driver: MetadataDriver
    private let store: RocksDBStore
    private let syncer: SyncThread

    /// Opens the directory, making a new cluster in an empty or missing one, and the port; serves when this returns.
    package init(
        directory: String, listen: HostPort, options: MetadataServiceOptions = MetadataServiceOptions(), logger: Logger,
        fail: @escaping @Sendable (String) -> Void
    ) throws(MetadataServiceError) {
        let loop = Loop(name: "metadata")
        let moment = Moment(now: loop.now, wallClock: loop.wallClock)
        let store = try MetadataService.openStore(directory)
        let core: MetadataCore
        do throws(MetadataError) {
            core = try MetadataService.makeCore(store, options, moment)
        } catch {
            store.close()
            throw MetadataServiceError(error, directory: directory)
        }
        let syncer = SyncThread(store: store)
        let driver = MetadataDriver(
            core: core, loop: loop, syncer: syncer, syncsEveryChange: options.syncsEveryChange, logger: logger, fail: fail)
        do throws(TransportError) {
            listener = try Listener(binding: listen, loop: loop, delegate: driver, logger: logger)
        } catch {
            store.close()
            throw .transport(error)
        }
        self.loop = loop
        self.store = store
        self.syncer = syncer
        self.driver = driver
        address = listener.address
        let listener = self.listener
        loop.execute {
            driver.closePeer = { listener.close($0) }
            driver.start()
        }
    }

    private static func openStore(_ directory: String) throws(MetadataServiceError) -> RocksDBStore {
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else {
            throw .notUsable(directory, reason: String(cString: strerror(errno)))
        }
        do throws(KeyValueError) {
            return try RocksDBStore(directory: directory + "/metadata", options: .metadata)
        } catch {
            throw MetadataServiceError(error, directory: directory)
        }
    }

    private static func makeCore(
        _ store: RocksDBStore, _ options: MetadataServiceOptions, _ moment: Moment
    ) throws(MetadataError) -> MetadataCore {
        if try !Namespace.isFormatted(store) {
            // The superblock is what makes it a cluster: it comes last.
            try MetadataCore.format(store, replicaCount: options.replicas, partitionCount: options.partitions)
            let cluster = ClusterID(UInt64.random(in: 1...UInt64.max))
            try Namespace.format(store, cluster: cluster, uid: geteuid(), gid: getegid(), now: moment.wallClock)
        }
        return try MetadataCore(namespace: try Namespace(store: store), at: moment)
    }

    /// Stops serving and makes everything durable.
    package func stop() throws(MetadataServiceError) {
        let driver = self.driver
        let stopped = DispatchSemaphore(value: 0)
        loop.execute {
            driver.stop()
            stopped.signal()
        }
        stopped.wait()
        listener.close()
        syncer.drain()
        loop.shutDown()
        defer { store.close() }
        do throws(KeyValueError) { try store.sync() } catch { throw .notStopped(reason: "\(error)") }
    }
}
