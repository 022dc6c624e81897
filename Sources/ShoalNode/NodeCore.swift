import Logging
import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// What a storage node does, on its one loop: admits requests, hands them to the chunk threads, keeps its replicas
/// equal to the others'. `NodeService` gives it the loop, the listener and the threads.
package final class NodeCore: @unchecked Sendable {  // confined to the loop; other threads hold it only to post back
    /// What the outside decides about a node.
    package struct Configuration: Sendable {
        package var limits = NodeLimits.production
        package var identity: NodeIdentity?
        /// `HOST:PORT` under which the others reach this node.
        package var address: String
        package var metadataAddress: String
        package var zone: String
        package var weight: Double
        package var directory: String
        /// What the disk holds at the start: the leader counts it from the registration on.
        package var usage = NodeUsage()
        package init(address: String, metadataAddress: String, zone: String, weight: Double, directory: String) {
            self.address = address
            self.metadataAddress = metadataAddress
            self.zone = zone
            self.weight = weight
            self.directory = directory
        }
    }

    var configuration: Configuration
    let limits: NodeLimits
    let scheduler: any Scheduler
    let network: any Network
    let threads: ChunkThreads
    let payloads: PayloadPool
    let logger: Logger
    /// Runs a closure on the loop, from any thread.
    let post: @Sendable (@escaping @Sendable () -> Void) -> Void
    /// Closes a connection that came in.
    package var closeInbound: (any Peer) -> Void = { _ in }
    /// Makes a new identity durable; called on a thread that may block.
    package var saveIdentity: @Sendable (NodeIdentity) throws(NodeError) -> Void = { _ in }
    /// The outcome of the first registration, once.
    package var onStart: ((Result<Void, NodeError>) -> Void)?

    var identity: NodeIdentity?
    var admission: Admission
    var written: WrittenChunks
    var usage = NodeUsage()
    var rate: RequestRate
    var waiting = WaitingRequests()
    var inbound: [ObjectIdentifier: (peer: any Peer, hello: Hello)] = [:]
    var isFetchingMap = false
    var isStopping = false
    private(set) lazy var peers = NodePeers(network: network) { [unowned self] in hello }
    private(set) lazy var link = MetadataLink(core: self)
    private(set) lazy var pulls = ChunkPulls(core: self)
    private(set) lazy var copies = ChunkCopies(core: self)
    private(set) lazy var resync = Resync(core: self)
    private(set) lazy var reconciliation = Reconciliation(core: self)
    private(set) lazy var repair = ChunkRepair(core: self)
    private(set) lazy var scrub = Scrub(core: self)
    private(set) lazy var cleaning = ForeignPartitions(core: self)

    package init(
        configuration: Configuration, scheduler: any Scheduler, network: any Network, threads: ChunkThreads,
        post: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void, logger: Logger
    ) {
        self.configuration = configuration
        self.scheduler = scheduler
        self.network = network
        self.threads = threads
        self.post = post
        self.logger = logger
        limits = configuration.limits
        payloads = PayloadPool(idleBytesMax: limits.idlePayloadBytesMax)
        identity = configuration.identity
        usage = configuration.usage
        admission = Admission(node: configuration.identity?.node ?? NodeID(0), sessionsMax: limits.sessionsMax)
        written = WrittenChunks(chunksMax: limits.writtenChunksMax, bytesMax: limits.writtenBlockBytesMax)
        rate = RequestRate(windowSeconds: limits.rateWindowSeconds)
    }

    /// What this node says of itself when a connection begins.
    var hello: Hello { Hello(role: .node, cluster: identity?.cluster ?? .unknown, node: admission.node) }
    var map: ClusterMap { admission.map }

    /// Begins to register; `onStart` tells the outcome.
    package func start() {
        link.start()
        scheduleSweep()
        scheduleMaintenance()
        scrub.start()
    }

    /// No more requests, timers or connections. The queued work goes on.
    func shutDown() {
        isStopping = true
        link.close()
        peers.closeAll()
        for entry in waiting.takeExpired(at: MonotonicInstant(.max)) { entry.responder.reply(.notReady) }
        onStart = nil
        closeInbound = { _ in }
    }

    private func scheduleSweep() {
        scheduler.schedule(after: .milliseconds(250)) { [weak self] in
            guard let self, !isStopping else { return }
            for entry in waiting.takeExpired(at: scheduler.now) { entry.responder.reply(.notReady) }
            scheduleSweep()
        }
    }

    private func scheduleMaintenance() {
        scheduler.schedule(after: .seconds(1)) { [weak self] in
            guard let self, !isStopping else { return }
            threads.maintain(now: scheduler.now) { [self] in noteFailure($0) }
            scheduleMaintenance()
        }
    }

    /// The figures for the heartbeat. The disk's share is asked for on the scanning thread and one beat old.
    func currentUsage() -> NodeUsage {
        usage.requestsPerSecond = rate.perSecond(at: scheduler.now)
        threads.scan { [self] store in
            do throws(ChunkStoreError) {
                let disk = try store.usage()
                post { [self] in
                    usage.note(disk)
                }
            } catch {
                noteFailure(error)
            }
        }
        return usage
    }
}

extension NodeUsage {
    package mutating func note(_ disk: ChunkStoreUsage) {
        bytesTotal = disk.bytesTotal
        bytesFree = disk.bytesFree
        chunks = disk.chunks
    }
}
