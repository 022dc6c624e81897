import Dispatch
import Glibc
import Logging
import ShoalKeyValue
import ShoalMetadata
import ShoalTransport
import ShoalTypes

/// A running metadata server: its directory, store, loop and port.
package final class MetadataService: Sendable {
    private let loop: Loop
    private let listener: Listener
    private let store: any KeyValueStore
    private let syncs: StoreSyncs
    private let shell: MetadataLoop
    private let logger: Logger
    /// Which cluster this is, from the first start of its directory on.
    package let cluster: ClusterID

    /// Where it listens, with the real port if 0 was asked for.
    package var address: HostPort { listener.address }

    /// Opens the directory (made if missing, and with it a cluster) and the port, and serves: nodes and sessions at
    /// once, others' requests once the sessions from before have come back. Blocks; not on a loop.
    ///
    /// `onFailure` is called at most once, from the loop: the store has failed, every connection is closed, and all
    /// that is left is to call `terminate`, from another thread.
    /// - Throws: what is wrong with the options, the directory, the store or the port.
    package init(
        directory: String, listen: HostPort, options: MetadataOptions = MetadataOptions(), logger: Logger,
        onFailure: @escaping @Sendable (MetadataServerError) -> Void = { _ in }
    ) throws(MetadataServerError) {
        try options.check()
        do throws(TransportError) { try Listener.check(listen) } catch { throw .transport(error) }
        let loop = Loop(name: "metadata")
        do throws(MetadataServerError) {
            let namespace = try MetadataDirectory(path: directory).open(
                options, newCluster: ClusterID(UInt64.random(in: 1...UInt64.max)), now: loop.wallClock)
            do throws(MetadataServerError) {
                let core: MetadataCore
                do throws(MetadataError) {
                    core = try MetadataCore(
                        namespace: namespace, limits: options.limits,
                        at: Moment(now: loop.now, wallClock: loop.wallClock))
                } catch {
                    throw .metadata(directory: directory, error)
                }
                syncs = StoreSyncs(namespace.store)
                shell = MetadataLoop(
                    core: core, loop: loop, syncs: syncs, options: options, logger: logger, onFailure: onFailure)
                do throws(TransportError) {
                    listener = try Listener(binding: listen, loop: loop, delegate: shell, logger: logger)
                } catch {
                    throw .transport(error)
                }
            } catch {
                namespace.store.close()
                throw error
            }
            store = namespace.store
            cluster = namespace.cluster
        } catch {
            loop.shutDown()
            throw error
        }
        self.loop = loop
        self.logger = logger
        loop.execute { [shell, listener] in
            shell.close = { listener.close($0) }
            shell.start()
        }
        logger.info("metadata server of cluster \(cluster) listens on \(address)")
    }

    /// The clean stop: no more connections, then everything on the disk. Sessions and nodes come back to the next
    /// start. Blocks; not on the loop. Once, and not after `terminate`.
    /// - Throws: `.failed` if the store cannot be synced.
    package func stop() throws(MetadataServerError) {
        shutDown()
        defer { store.close() }
        do throws(KeyValueError) { try store.sync() } catch {
            throw .failed("the metadata store cannot be synced: \(error)")
        }
    }

    /// Ends at once; what was answered survives, as after a kill. Blocks until the threads have ended.
    package func terminate() {
        shutDown()
        store.close()
    }

    private func shutDown() {
        let stopped = DispatchSemaphore(value: 0)
        loop.execute { [shell] in
            shell.stop()
            stopped.signal()
        }
        stopped.wait()
        listener.close()
        syncs.drain()
        loop.shutDown()
    }
}
