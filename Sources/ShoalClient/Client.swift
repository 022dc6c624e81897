import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

package typealias Completion<Value> = (Result<Value, FileError>) -> Void

/// One mount's (or command's) view of the cluster: the single class of truth for its inodes, leases, cached blocks and
/// buffered writes. Owned by one loop: every call is made, and every completion runs, there.
package final class Client {
    let scheduler: any Scheduler
    let limits: ClientLimits
    let logger: Logger
    let metadata: MetadataLink
    let view: ClusterView
    let reader: ChunkReader
    let writer: ChunkWriter
    let inodes = InodeTable()
    let cache: BlockCache
    /// Bytes on their way to the nodes.
    var flushBytesInFlight = 0
    /// Inodes with dirty blocks that wait for room in `flushBytesInFlight`.
    var flushQueue: [Inode] = []
    /// Writers that wait until fewer bytes are dirty.
    var dirtyWaiters: [() -> Void] = []
    var nameCount = 0
    /// Of the cached extended attributes of all inodes.
    var extendedAttributeBytes = 0
    /// Leases given back, until the server has confirmed it: replies sent before that may still repeat them.
    var returnedLeases: [InodeID: LeaseSequence] = [:]
    private var openCompletion: ((Result<Void, ClientError>) -> Void)?

    package init(
        metadataAddress: String, role: Hello.Role, label: String, network: any Network, scheduler: any Scheduler,
        limits: ClientLimits = .production, logger: Logger
    ) {
        self.scheduler = scheduler
        self.limits = limits
        self.logger = logger
        metadata = MetadataLink(
            address: metadataAddress, role: role, label: label, network: network, scheduler: scheduler, limits: limits,
            logger: logger)
        view = ClusterView(metadata: metadata, network: network, limits: limits, logger: logger)
        reader = ChunkReader(view: view, scheduler: scheduler, limits: limits, logger: logger)
        writer = ChunkWriter(view: view, metadata: metadata, scheduler: scheduler, limits: limits)
        cache = BlockCache(bytesMax: limits.cacheBytesMax, policy: limits.cachePolicy)
        metadata.events = MetadataLink.Events(
            opened: { [unowned self] in sessionOpened($0, isNew: $1) },
            lost: { [unowned self] in sessionLost() },
            heldLeases: { [unowned self] in heldLeases() },
            received: { [unowned self] in received($0, $1) },
            notified: { [unowned self] in notified($0) },
            refused: { [unowned self] in finishOpening(.failure(.refused($0))) })
    }

    package var session: SessionID { metadata.session }
    package var map: ClusterMap { view.map }
    package var statistics: CacheStatistics {
        CacheStatistics(
            bytes: cache.bytes, dirtyBytes: cache.dirtyBytes, hits: cache.hits, misses: cache.misses,
            inodes: inodes.count)
    }

    /// Waits for a session. `.unreachable` past `deadline`; the client goes on trying until it is closed.
    package func open(deadline: Interval, completion: @escaping (Result<Void, ClientError>) -> Void) {
        if metadata.state == .open { return completion(.success(())) }
        openCompletion = completion
        scheduler.schedule(after: deadline) { [weak self] in self?.finishOpening(.failure(.unreachable)) }
    }

    private func finishOpening(_ result: Result<Void, ClientError>) {
        guard let completion = openCompletion else { return }
        openCompletion = nil
        completion(result)
    }

    private func sessionOpened(_ reply: OpenSessionReply, isNew: Bool) {
        view.adopt(reply.map)
        if isNew { view.reconnectAll() }
        finishOpening(.success(()))
        let waiting = inodes.all.filter { !$0.waiters.isEmpty }
        for inode in waiting { serveWaiters(of: inode) }
    }

    private func received(_ request: Request, _ responder: any Responder) {
        switch request.operation {
        case .recall:
            guard case .success(let recall) = decode(request, as: RecallRequest.self) else {
                return responder.reply(.badRequest)
            }
            recalled(recall) { responder.reply(RecallReply(remaining: $0)) }
        case .glimpse:
            guard case .success(let glimpse) = decode(request, as: GlimpseRequest.self) else {
                return responder.reply(.badRequest)
            }
            guard let answer = glimpsed(glimpse) else { return responder.reply(.staleLease) }
            responder.reply(answer)
        default:
            responder.reply(.badRequest)
        }
    }

    private func notified(_ notice: Request) {
        guard notice.operation == .mapChanged, case .success(let message) = decode(notice, as: MapMessage.self) else {
            return
        }
        view.adopt(message.map)
    }

    private func decode<Message: WireMessage>(_ request: Request, as: Message.Type) -> Result<Message, WireError> {
        do throws(WireError) { return .success(try request.decode(Message.self)) } catch { return .failure(error) }
    }

    /// Writes everything back and ends the session. The first error of a write-back is the result.
    package func close(completion: @escaping Completion<Void>) {
        flushAll { [self] result in
            metadata.close { [self] in
                view.close()
                completion(result)
            }
        }
    }
}

/// Why a client could not begin.
package enum ClientError: Error, Equatable, Sendable {
    case unreachable
    case refused(WireStatus)
}

package struct CacheStatistics: Sendable {
    package let bytes: Int
    package let dirtyBytes: Int
    package let hits: UInt64
    package let misses: UInt64
    package let inodes: Int
}
