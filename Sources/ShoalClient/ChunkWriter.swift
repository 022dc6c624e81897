import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Sends a change of a chunk to every replica that must have it, until each has answered or the map no longer counts on
/// it.
final class ChunkWriter {
    /// One change, sent in the same words to every replica. `send` is called again for retries: it must build the
    /// message from what is true then.
    struct Change {
        var chunk: ChunkID
        var minimumEpoch: Epoch
        /// Told by each replica that has applied the change how many blocks of the chunk take space.
        var counted: (UInt32) -> Void = { _ in }
        var send:
            (
                _ peer: any Peer, _ epoch: Epoch, _ session: SessionID, _ generation: ConnectionGeneration,
                _ completion: @escaping (Reply) -> Void
            ) -> Void
    }

    private final class Progress {
        let change: Change
        /// The session that holds the lease: if it ends, so does the change.
        let session: SessionID
        let deadline: MonotonicInstant
        var acknowledged: Set<NodeID> = []
        var underWay: Set<NodeID> = []
        var isWaiting = false
        var completion: ((WireStatus) -> Void)?
        init(
            change: Change, session: SessionID, deadline: MonotonicInstant, completion: @escaping (WireStatus) -> Void
        ) {
            self.change = change
            self.session = session
            self.deadline = deadline
            self.completion = completion
        }
    }

    private let view: ClusterView
    private let metadata: MetadataLink
    private let scheduler: any Scheduler
    private let limits: ClientLimits

    init(view: ClusterView, metadata: MetadataLink, scheduler: any Scheduler, limits: ClientLimits) {
        self.view = view
        self.metadata = metadata
        self.scheduler = scheduler
        self.limits = limits
    }

    /// `completion` gets `.ok` when every in-sync and syncing replica of the latest map has applied the change;
    /// otherwise why not.
    func apply(_ change: Change, completion: @escaping (WireStatus) -> Void) {
        let deadline = scheduler.now + limits.nodeDeadline
        advance(Progress(change: change, session: metadata.session, deadline: deadline, completion: completion))
    }

    private func finish(_ progress: Progress, _ status: WireStatus) {
        guard let completion = progress.completion else { return }
        progress.completion = nil
        completion(status)
    }

    private func advance(_ progress: Progress) {
        guard progress.completion != nil, !progress.isWaiting else { return }
        guard progress.session == metadata.session else { return finish(progress, .fenced) }
        guard view.map.epoch >= progress.change.minimumEpoch, !view.map.partitions.isEmpty else {
            return waitForMap(progress)
        }
        let partition = view.map.partition(of: progress.change.chunk)
        let replicas = view.map[partition].writable
        let missing = replicas.map(\.node).filter { !progress.acknowledged.contains($0) }
        if missing.isEmpty {
            let isHeld = replicas.contains { $0.state == .inSync }
            return isHeld ? finish(progress, .ok) : waitForMap(progress)
        }
        for node in missing where !progress.underWay.contains(node) {
            guard let peer = view.peer(node) else {
                waitForMap(progress)
                continue
            }
            progress.underWay.insert(node)
            progress.change.send(peer, view.map.epoch, progress.session, view.generation(of: node)) { [self] reply in
                progress.underWay.remove(node)
                if case .success(let space) = reply.decode(ChunkSpaceReply.self), progress.completion != nil {
                    progress.change.counted(space.allocatedBlocks)
                }
                answered(reply.status, node, partition, progress)
            }
        }
    }

    private func answered(_ status: WireStatus, _ node: NodeID, _ partition: PartitionID, _ progress: Progress) {
        guard progress.completion != nil else { return }
        switch status {
        case .ok:
            progress.acknowledged.insert(node)
            advance(progress)
        case .staleEpoch, .notReplica:
            waitForMap(progress)
        case .notReady, .staleConnection, .badChecksum:
            pause(progress)
        case .unreachable where progress.session != metadata.session:
            // This side closed the connection, with the session.
            finish(progress, .fenced)
        case .unreachable:
            guard scheduler.now < progress.deadline else { return finish(progress, .unreachable) }
            progress.isWaiting = true
            view.report(node, partition: partition) { [self] in
                progress.isWaiting = false
                let isStillCounted = view.map[partition].writable.contains { $0.node == node }
                if isStillCounted { pause(progress) } else { advance(progress) }
            }
        default:
            finish(progress, status)
        }
    }

    private func waitForMap(_ progress: Progress) {
        guard progress.completion != nil, !progress.isWaiting else { return }
        guard scheduler.now < progress.deadline else { return finish(progress, .unreachable) }
        progress.isWaiting = true
        let epoch = view.map.epoch
        view.refresh { [self] in
            progress.isWaiting = false
            if view.map.epoch > epoch { advance(progress) } else { pause(progress) }
        }
    }

    private func pause(_ progress: Progress) {
        guard progress.completion != nil, !progress.isWaiting else { return }
        guard scheduler.now < progress.deadline else { return finish(progress, .unreachable) }
        progress.isWaiting = true
        scheduler.schedule(after: limits.retryPause) { [self] in
            progress.isWaiting = false
            advance(progress)
        }
    }
}
