import Dispatch
import Logging
import ShoalChunkStore
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization

/// A running storage node: its directory, store, threads, loop and port.
package final class NodeService: Sendable {
    private let directory: NodeDirectory
    private let loop: Loop
    private let listener: Listener
    private let threads: ChunkThreads
    private let core: NodeCore
    private let limits: NodeLimits
    private let logger: Logger
    private let hasEnded = Atomic(false)

    /// Where this node listens, with the real port if 0 was asked for.
    package var address: HostPort { listener.address }

    /// Opens the directory (made if missing) and the port. Until `start` has succeeded every request is answered
    /// `.notReady`.
    /// - Throws: what is wrong with the directory, the store or the port.
    package init(
        directory path: String, listen: HostPort, metadata: HostPort, zone: String = "", weight: Double = 1,
        limits: NodeLimits = .production, storeLimits: ChunkStoreLimits = .production, disk: any Disk = PosixDisk(),
        logger: Logger
    ) throws(NodeError) {
        let directory = try NodeDirectory(path: path)
        let identity = try directory.readIdentity()
        let store: ChunkStore
        do throws(ChunkStoreError) {
            store = try ChunkStore.open(
                directory: directory.chunksPath, limits: storeLimits, disk: disk,
                report: { logger.warning("chunk store: \($0)") })
        } catch { throw .store(error) }
        if identity == nil {
            let hasChunks: Bool
            do throws(ChunkStoreError) { hasChunks = try store.usage().chunks > 0 } catch { throw .store(error) }
            if hasChunks {
                try NodeService.close(store)
                throw .identityMissing(directory: path)
            }
        }
        let loop = Loop(name: "node")
        let threads = ChunkThreads(store: store)
        var configuration = NodeCore.Configuration(
            address: listen.description, metadataAddress: metadata.description, zone: zone, weight: weight,
            directory: path)
        configuration.identity = identity
        configuration.limits = limits
        let core = NodeCore(
            configuration: configuration, scheduler: loop, network: LoopNetwork(loop: loop, logger: logger),
            threads: threads, post: { loop.execute($0) }, logger: logger)
        core.saveIdentity = { identity throws(NodeError) in try directory.writeIdentity(identity) }
        do throws(TransportError) {
            listener = try Listener(binding: listen, loop: loop, delegate: core, logger: logger)
        } catch {
            loop.shutDown()
            threads.close()
            try NodeService.close(store)
            throw .transport(error)
        }
        self.directory = directory
        self.loop = loop
        self.threads = threads
        self.core = core
        self.limits = limits
        self.logger = logger
    }

    /// Registers with the metadata server; returns when the node serves. After an error the node is shut down.
    package func start() throws(NodeError) {
        let outcome = Awaited<Result<Void, NodeError>>()
        loop.execute { [self] in
            core.closeInbound = { [listener] in listener.close($0) }
            for thread in threads.shardThreads { loop.takeAlong(thread) }
            core.configuration.address = address.description
            core.onStart = { outcome.set($0) }
            core.start()
        }
        let failure: NodeError
        switch outcome.wait(limits.registrationWait) {
        case .success: return
        case .failure(let error): failure = error
        case nil: failure = .metadataUnreachable(core.configuration.metadataAddress)
        }
        guard shutDown() else { throw failure }
        defer { directory.release() }
        try NodeService.close(threads.store)
        throw failure
    }

    /// The clean stop: says goodbye to the leader, finishes what was accepted, closes the store in order. Blocks; not
    /// on the loop. No effect on a node that has ended. Not while another thread is in `terminate`.
    package func stop() throws(NodeError) {
        guard !hasEnded.load(ordering: .acquiring) else { return }
        let left = Awaited<Void>()
        loop.execute { [core] in
            core.isStopping = true
            core.link.leave { left.set(()) }
        }
        if left.wait(limits.leaveWait * 2) == nil { logger.warning("the metadata server took no leave") }
        let drained = Awaited<Void>()
        threads.scanAfterBarrier { [threads] _ in threads.sync([]) { _ in drained.set(()) } }
        drained.wait()
        guard shutDown() else { return }
        defer { directory.release() }
        try NodeService.close(threads.store)
    }

    /// Ends at once, without a goodbye: the store is left as a crash would leave it. Blocks until the threads have
    /// ended. No effect on a node that has ended.
    package func terminate() {
        guard shutDown() else { return }
        threads.store.abandon()
        directory.release()
    }

    /// For tests and tools in this process: scans may be made from any thread.
    package var store: ChunkStore { threads.store }

    /// The figures of this moment; blocks until the loop has answered.
    package var usage: NodeUsage {
        let usage = Awaited<NodeUsage>()
        loop.execute { [core] in usage.set(core.usage) }
        return usage.wait()
    }

    /// False if it had been done.
    private func shutDown() -> Bool {
        guard !hasEnded.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        listener.close()
        let ended = Awaited<Void>()
        loop.execute { [core] in
            core.shutDown()
            ended.set(())
        }
        ended.wait()
        threads.close()
        loop.shutDown()
        return true
    }

    private static func close(_ store: ChunkStore) throws(NodeError) {
        do throws(ChunkStoreError) { try store.close() } catch { throw .store(error) }
    }
}
