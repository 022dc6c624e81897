import ShoalTypes
import ShoalWire

/// Decides which requests a node serves (design, section 5). Pure: the shell tells it of maps, connections and
/// progress.
///
/// Two checks are left to the shard thread, which has the chunk at hand: the lease sequence against the chunk's, and
/// the payload against its checksums. Admitted requests enter their shard's queue in the order of admission, so a
/// request that was admitted before its session was fenced or reconnected lands before anything that was admitted
/// later.
package struct Admission: Sendable {
    package enum Verdict: Equatable, Sendable {
        case admit(PartitionID)
        case refuse(WireStatus)
        /// The requester knows a newer map: ask again once that epoch, or a newer one, is known here.
        case awaitMap(Epoch)
        /// Ask again once the chunk has been copied or reconciled.
        case awaitChunk(PartitionID)
    }

    /// What a new map means for this node.
    package struct MapChange: Equatable, Sendable {
        package var newlyFenced: [SessionID] = []
        /// Partitions whose resync starts, or starts afresh.
        package var resyncing: [PartitionID] = []
    }

    package private(set) var map = ClusterMap()
    /// 0 before the first registration.
    package private(set) var node: NodeID
    package var connections: SessionConnections
    package var progress = ResyncProgress()
    /// Chunks of fenced sessions that replicas may hold differently.
    package var unreconciled: Set<ChunkID> = []
    /// Chunks that are being copied into: later changes of them wait.
    package var copying: Set<ChunkID> = []
    /// False before this process has registered: it must not serve by a map it does not have.
    package private(set) var isRegistered = false
    /// The disk failed a sync: nothing more is accepted for it.
    package var isStoreBad = false
    private var fenced: Set<SessionID> = []

    package init(node: NodeID, sessionsMax: Int) {
        self.node = node
        connections = SessionConnections(sessionsMax: sessionsMax)
    }

    /// The leader has taken this node in. The map that came along is applied separately.
    package mutating func register(as node: NodeID) {
        self.node = node
        isRegistered = true
    }

    /// Takes a newer map over; nil, and no effect, for one that is not newer.
    package mutating func apply(_ newer: ClusterMap) -> MapChange? {
        guard newer.epoch > map.epoch else { return nil }
        var change = MapChange()
        if newer.fenced != map.fenced {
            change.newlyFenced = newer.fenced.filter { !fenced.contains($0) }
            fenced = Set(newer.fenced)
        }
        map = newer
        change.resyncing = progress.update(newer, node: node)
        return change
    }

    /// A read by a client, or (`isResync`) by a node that copies this replica.
    package func admitRead(epoch: Epoch, chunk: ChunkID, isResync: Bool = false) -> Verdict {
        switch locate(chunk, epoch: epoch) {
        case .admit(let partition):
            guard map[partition].state(of: node) == .inSync else { return .refuse(.notReplica) }
            if !isResync, unreconciled.contains(chunk) { return .awaitChunk(partition) }
            return .admit(partition)
        case let other: return other
        }
    }

    /// A write or truncation. Chunks of no content are a mistake of the writer's: nobody would read them.
    package func admitWrite(
        epoch: Epoch, session: SessionID, generation: ConnectionGeneration, chunk: ChunkID
    ) -> Verdict {
        guard session != .none, chunk.data != .none else { return .refuse(.badRequest) }
        switch locate(chunk, epoch: epoch) {
        case .admit(let partition):
            guard !isStoreBad else { return .refuse(.failed(.inputOutput)) }
            guard !fenced.contains(session) else { return .refuse(.fenced) }
            guard connections.isNewest(session, generation) else { return .refuse(.staleConnection) }
            guard isWritable(partition) else { return .refuse(.notReplica) }
            if copying.contains(chunk) || unreconciled.contains(chunk) || !progress.isCurrent(chunk, in: partition) {
                return .awaitChunk(partition)
            }
            return .admit(partition)
        case .refuse(.staleEpoch) where fenced.contains(session): return .refuse(.fenced)
        case let other: return other
        }
    }

    /// A sync: what was written under an older set of replicas may be missing on a new one, so it counts as a write.
    package func admitSync(epoch: Epoch, chunk: ChunkID) -> Verdict {
        switch locate(chunk, epoch: epoch) {
        case .admit(let partition):
            guard !isStoreBad else { return .refuse(.failed(.inputOutput)) }
            return isWritable(partition) ? .admit(partition) : .refuse(.notReplica)
        case let other: return other
        }
    }

    /// A request of another node about a whole partition: only an in-sync replica can be a source.
    package func admitSource(epoch: Epoch, partition: PartitionID) -> Verdict {
        if let early = admitEpoch(epoch) { return early }
        guard Int(partition.rawValue) < map.partitions.count else { return .refuse(.badRequest) }
        guard epoch >= map[partition].changedAt else { return .refuse(.staleEpoch) }
        return map[partition].state(of: node) == .inSync ? .admit(partition) : .refuse(.notReplica)
    }

    /// A request that any registered node answers; nil if there is nothing to wait for or to refuse.
    package func admitEpoch(_ epoch: Epoch) -> Verdict? {
        guard isRegistered else { return .refuse(.notReady) }
        if epoch > map.epoch { return .awaitMap(epoch) }
        return map.partitions.isEmpty ? .refuse(.notReplica) : nil
    }

    /// True if this node receives the partition's writes.
    package func isWritable(_ partition: PartitionID) -> Bool {
        switch map[partition].state(of: node) {
        case .inSync, .syncing: true
        case .stale, nil: false
        }
    }

    private func locate(_ chunk: ChunkID, epoch: Epoch) -> Verdict {
        if let early = admitEpoch(epoch) { return early }
        let partition = map.partition(of: chunk)
        return epoch < map[partition].changedAt ? .refuse(.staleEpoch) : .admit(partition)
    }
}
