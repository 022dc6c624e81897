import ShoalTypes

/// How far each syncing partition of this node has caught up. Comparison walks a partition's chunks in ascending order:
/// what lies at or before the cursor and is not needed is current, what lies after it is unknown until it is compared
/// by itself (a write to it does that first), from when on it is `fresh`.
package struct ResyncProgress: Sendable {
    /// What the progress was made against; another value starts the partition afresh, because writes may have passed by
    /// this node in between.
    package struct Basis: Hashable, Sendable {
        package var changedAt: Epoch
        /// The first in-sync replica.
        package var source: NodeID
    }

    private enum Cursor {
        case start
        case after(ChunkID)
        case end
    }

    private struct Partition {
        var basis: Basis
        var cursor = Cursor.start
        /// At or before the cursor, known to differ.
        var needed: Set<ChunkID> = []
        /// Beyond the cursor, known to be current.
        var fresh: Set<ChunkID> = []

        func covers(_ chunk: ChunkID) -> Bool {
            switch cursor {
            case .start: false
            case .after(let last): chunk <= last
            case .end: true
            }
        }
    }

    private var partitions: [PartitionID: Partition] = [:]

    package init() {}

    package var isEmpty: Bool { partitions.isEmpty }
    package func basis(of partition: PartitionID) -> Basis? { partitions[partition]?.basis }
    package var syncing: [PartitionID] { partitions.keys.sorted() }

    /// Takes over what `map` says of `node`. Returns the partitions that start afresh, ascending.
    package mutating func update(_ map: ClusterMap, node: NodeID) -> [PartitionID] {
        var started: [PartitionID] = []
        var remaining: [PartitionID: Partition] = [:]
        for (index, assignment) in map.partitions.enumerated() where assignment.state(of: node) == .syncing {
            guard let source = assignment.inSync.first else { continue }
            let partition = PartitionID(UInt16(index))
            let basis = Basis(changedAt: assignment.changedAt, source: source)
            if let known = partitions[partition], known.basis == basis {
                remaining[partition] = known
            } else {
                remaining[partition] = Partition(basis: basis)
                started.append(partition)
            }
        }
        partitions = remaining
        return started
    }

    /// True if the chunk holds all that its source does, or the partition is not syncing.
    package func isCurrent(_ chunk: ChunkID, in partition: PartitionID) -> Bool {
        guard let progress = partitions[partition] else { return true }
        if progress.covers(chunk) { return !progress.needed.contains(chunk) }
        return progress.fresh.contains(chunk)
    }

    /// Where the comparison of a partition goes on; nil from its start.
    package func cursor(of partition: PartitionID) -> ChunkID? {
        guard case .after(let last)? = partitions[partition]?.cursor else { return nil }
        return last
    }

    /// The comparison has reached `last` (nil: the end); `different` are the chunks up to there that differ.
    /// Returns those that are not current by now: the ones to fetch.
    package mutating func advance(_ partition: PartitionID, to last: ChunkID?, different: [ChunkID]) -> [ChunkID] {
        guard var progress = partitions[partition] else { return [] }
        let needed = different.filter { !progress.fresh.contains($0) }
        progress.needed.formUnion(needed)
        progress.cursor = last.map { .after($0) } ?? .end
        progress.fresh = last.map { last in progress.fresh.filter { $0 > last } } ?? []
        partitions[partition] = progress
        return needed
    }

    /// The chunk now equals its source's.
    package mutating func markCurrent(_ chunk: ChunkID, in partition: PartitionID) {
        guard partitions[partition] != nil else { return }
        if partitions[partition]?.covers(chunk) == true {
            partitions[partition]?.needed.remove(chunk)
        } else {
            partitions[partition]?.fresh.insert(chunk)
        }
    }

    /// True when everything has been compared and fetched.
    package func isCaughtUp(_ partition: PartitionID) -> Bool {
        guard let progress = partitions[partition], case .end = progress.cursor else { return false }
        return progress.needed.isEmpty
    }

    /// True when all chunks up to the cursor have been fetched, so that the next range may be compared.
    package func hasFetchedAll(_ partition: PartitionID) -> Bool { partitions[partition]?.needed.isEmpty ?? true }
}
