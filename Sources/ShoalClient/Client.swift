import DequeModule
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
    let layouts: ChunkLayouts
    let inodes = InodeTable()
    let cache: BlockCache
    /// Bytes on their way to the nodes.
    var flushBytesInFlight = 0
    /// Inodes with dirty blocks that wait for room in `flushBytesInFlight`.
    var flushQueue: Deque<Inode> = []
    /// Inodes whose dirty blocks nobody has asked for yet, and when those leave.
    var writeBehindQueue: Deque<(inode: Inode, due: MonotonicInstant)> = []
    /// Sizes and times that wait for their turn to be sent.
    var commitQueue: Deque<PendingCommit> = []
    var commitMessages = 0
    /// When bytes or their size were last refused.
    var lastWriteBackFailure: MonotonicInstant?
    /// Files whose write lease is about to become one to read.
    var finishedFiles: [Inode] = []
    /// Writers that wait until fewer bytes are dirty.
    var dirtyWaiters: [() -> Void] = []
    var nameCount = 0
    /// Makes the kernel write back and drop its pages of ranges of a file, then calls back; nil without a kernel.
    package var dropKernelPages: ((InodeID, [Range<UInt64>], @escaping () -> Void) -> Void)?
    /// Makes a file at least so long for the kernel, then calls back; nil without a kernel.
    package var growKernelFile: ((InodeID, UInt64, @escaping () -> Void) -> Void)?
    /// Makes the kernel forget the attributes of inodes, then calls back; nil without a kernel that keeps them.
    package var dropKernelAttributes: (([InodeID], @escaping () -> Void) -> Void)?
    /// Makes it forget those of one inode before it returns; false if it may yet learn them from an answer on its way.
    package var dropKernelAttributesAtOnce: ((InodeID) -> Bool)?
    /// Makes the kernel forget names of a directory, then calls back; nil without a kernel that keeps them.
    package var dropKernelNames: ((InodeID, [FileName], @escaping () -> Void) -> Void)?
    /// Names that renames under way take away, with how many do.
    var namesMoving: [Place: Int] = [:]
    /// The trash and the directories in it, of which there is one for each hour: the server gives them names that nobody
    /// knows before.
    var trashDirectories: Set<InodeID> = []
    /// Names that the kernel was given lately.
    var namesShown = (since: MonotonicInstant(0), count: 0)
    /// Directories in which it shows some, or did lately.
    var showingDirectories: Set<InodeID> = []
    /// When the last name that the kernel was given ends by itself.
    var kernelNamesEnd = MonotonicInstant(0)
    /// Inodes that this mount has changed and the kernel still shows as they were.
    var changesToForget: Set<InodeID> = []
    /// Leases wait for the kernel's attributes to go, and go back then.
    var isReturningColdLeases = false
    /// Access times to send, and those that are on their way.
    var accessTimes: [InodeID: AccessTime] = [:]
    var accessTimesInFlight: [InodeID: AccessTime] = [:]
    /// Inodes whose access time was set by hand under the write lease, and goes with the next commit.
    var accessTimesToCommit: Set<InodeID> = []
    /// Inodes with a pin that are not open.
    var lingering: [InodeID: Inode] = [:]
    /// Inodes that are gone, as they were last.
    var goneAttributes: [InodeID: FileAttributes] = [:]
    /// Of the cached extended attributes of all inodes.
    var extendedAttributeBytes = 0
    /// Leases given back, until the server has confirmed it: replies sent before that may still repeat them.
    var returnedLeases: [InodeID: LeaseSequence] = [:]
    /// Record locks and flocks of this mount's processes.
    var locks = LockLedger()
    private var openCompletion: ((Result<Void, ClientError>) -> Void)?

    package init(
        metadataAddress: String, role: Hello.Role, label: String, network: any Network, scheduler: any Scheduler,
        limits: ClientLimits = .production, seed: UInt64 = .random(in: 0...UInt64.max), logger: Logger
    ) {
        self.scheduler = scheduler
        self.limits = limits
        self.logger = logger
        metadata = MetadataLink(
            address: metadataAddress, role: role, label: label, network: network, scheduler: scheduler, limits: limits,
            logger: logger)
        view = ClusterView(metadata: metadata, network: network, limits: limits, seed: seed, logger: logger)
        reader = ChunkReader(view: view, scheduler: scheduler, limits: limits, logger: logger)
        writer = ChunkWriter(view: view, metadata: metadata, scheduler: scheduler, limits: limits)
        layouts = ChunkLayouts(view: view, scheduler: scheduler, limits: limits)
        cache = BlockCache(bytesMax: limits.cacheBytesMax, policy: limits.cachePolicy)
        metadata.events = MetadataLink.Events(
            opened: { [unowned self] in sessionOpened($0, isNew: $1) },
            lost: { [unowned self] in sessionLost(completion: $0) },
            heldLeases: { [unowned self] in heldLeases() },
            heldLocks: { [unowned self] in heldLocks() },
            received: { [unowned self] in received($0, $1) },
            notified: { [unowned self] in notified($0) },
            refused: { [unowned self] in finishOpening(.failure(.refused($0))) })
    }

    package var session: SessionID { metadata.session }
    package var map: ClusterMap { view.map }

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
        resumeLocks()
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
        switch notice.operation {
        case .mapChanged:
            if case .success(let message) = decode(notice, as: MapMessage.self) { view.adopt(message.map) }
        case .locksGranted:
            if case .success(let message) = decode(notice, as: LocksGrantedNotice.self) {
                locksGranted(message.tickets)
            }
        default: break
        }
    }

    private func decode<Message: WireMessage>(_ request: Request, as: Message.Type) -> Result<Message, WireError> {
        do throws(WireError) { return .success(try request.decode(Message.self)) } catch { return .failure(error) }
    }

    /// Writes everything back and ends the session. The first error of a write-back is the result.
    package func close(completion: @escaping Completion<Void>) {
        sendAccessTimes()
        flushAll { [self] result in
            forgetShown { [self] in
                metadata.close { [self] in
                    view.close()
                    completion(result)
                }
            }
        }
    }

    /// Runs `completion` when the kernel shows nothing any more that was true under the leases: files may still be open.
    func forgetShown(completion: @escaping () -> Void) {
        var isOver = false
        let finish = { [self] in
            guard !isOver else { return }
            isOver = true
            whenNamesHaveEnded(completion)
        }
        dropAllKernelAttributes(completion: finish)
        if !isOver {
            scheduler.schedule(after: max(metadata.leasesEnd - scheduler.now, Interval(nanoseconds: 0)), finish)
        }
    }
}

/// Why a client could not begin.
package enum ClientError: Error, Equatable, Sendable {
    case unreachable
    case refused(WireStatus)
}
