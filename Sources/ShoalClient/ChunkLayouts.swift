import ShoalRPC
import ShoalTypes
import ShoalWire

/// Asks the nodes where files have data.
final class ChunkLayouts {
    private let view: ClusterView
    private let scheduler: any Scheduler
    private let limits: ClientLimits

    init(view: ClusterView, scheduler: any Scheduler, limits: ClientLimits) {
        self.view = view
        self.scheduler = scheduler
        self.limits = limits
    }

    // MARK: One chunk

    /// The blocks of one chunk, as an in-sync replica has them.
    func layout(of chunk: ChunkID, minimumEpoch: Epoch, completion: @escaping Completion<ChunkLayoutReply>) {
        guard chunk.data != .none else { return completion(.success(ChunkLayoutReply())) }
        layout(of: chunk, minimumEpoch, avoiding: [], until: scheduler.now + limits.nodeDeadline, completion)
    }

    private func layout(
        of chunk: ChunkID, _ minimumEpoch: Epoch, avoiding: Set<NodeID>, until deadline: MonotonicInstant,
        _ completion: @escaping Completion<ChunkLayoutReply>
    ) {
        let again = { [self] (avoiding: Set<NodeID>) in
            retry(until: deadline, completion) { [self] in
                layout(of: chunk, minimumEpoch, avoiding: avoiding, until: deadline, completion)
            }
        }
        guard view.map.epoch >= minimumEpoch, !view.map.partitions.isEmpty else { return again([]) }
        let partition = view.map.partition(of: chunk)
        guard let node = view.readReplica(of: partition, avoiding: avoiding), let peer = view.peer(node) else {
            return again([])
        }
        let request = ChunkLayoutRequest(epoch: view.map.epoch, chunk: chunk)
        peer.call(.chunkLayout, request, deadline: limits.nodeAttemptDeadline) { [self] reply in
            switch reply.decode(ChunkLayoutReply.self) {
            case .success(let layout): completion(.success(layout))
            case .failure(let status):
                if status == .unreachable, view.isCurrent(peer, of: node) { view.report(node, partition: partition) {} }
                again(avoiding.union([node]))
            }
        }
    }

    private func retry<Value>(
        until deadline: MonotonicInstant, _ completion: @escaping Completion<Value>, _ body: @escaping () -> Void
    ) {
        guard scheduler.now < deadline else { return completion(.failure(.inputOutput)) }
        view.refresh { [self] in scheduler.schedule(after: limits.retryPause, body) }
    }

    // MARK: Many

    /// The chunks of `data` that exist with an index in `indices`, ascending.
    func list(
        _ data: DataID, _ indices: Range<UInt32>, minimumEpoch: Epoch,
        completion: @escaping Completion<[ListChunksReply.Entry]>
    ) {
        guard data != .none, !indices.isEmpty else { return completion(.success([])) }
        page(Listing(data: data, indices: indices, minimumEpoch: minimumEpoch), completion)
    }

    private struct Listing {
        let data: DataID
        /// What is still to be listed.
        var indices: Range<UInt32>
        let minimumEpoch: Epoch
        var found: [ListChunksReply.Entry] = []
    }

    private func page(_ listing: Listing, _ completion: @escaping Completion<[ListChunksReply.Entry]>) {
        page(listing, until: scheduler.now + limits.nodeDeadline, completion)
    }

    /// Every node is asked for its partitions; together they must cover all of them.
    private func page(
        _ listing: Listing, until deadline: MonotonicInstant,
        _ completion: @escaping Completion<[ListChunksReply.Entry]>
    ) {
        let again = { [self] in
            retry(until: deadline, completion) { [self] in page(listing, until: deadline, completion) }
        }
        let map = view.map
        guard map.epoch >= listing.minimumEpoch, !map.partitions.isEmpty else { return again() }
        let nodes = Set(map.partitions.flatMap(\.inSync)).filter { map.node($0)?.isUp == true }.sorted()
        var answers: [NodeID: ListChunksReply] = [:]
        var left = nodes.count
        guard left > 0 else { return again() }
        let request = ListChunksRequest(
            epoch: map.epoch, data: listing.data, from: listing.indices.lowerBound, to: listing.indices.upperBound)
        let finish = { [self] in
            guard map.partitions.allSatisfy({ $0.inSync.contains { answers[$0] != nil } }) else { return again() }
            var listing = listing
            let next = merge(answers, into: &listing)
            guard let next, next > listing.indices.lowerBound else { return completion(.success(listing.found)) }
            listing.indices = next..<listing.indices.upperBound
            page(listing, completion)
        }
        for node in nodes {
            let answered = { (answer: ListChunksReply?) in
                if let answer { answers[node] = answer }
                left -= 1
                if left == 0 { finish() }
            }
            guard let peer = view.peer(node) else {
                answered(nil)
                continue
            }
            peer.call(.listChunks, request, deadline: limits.nodeAttemptDeadline) { [self] reply in
                switch reply.decode(ListChunksReply.self) {
                case .success(let answer): answered(answer)
                case .failure(let status):
                    if status == .unreachable, view.isCurrent(peer, of: node),
                        let partition = map.partitions.firstIndex(where: { $0.inSync.contains(node) })
                    {
                        view.report(node, partition: PartitionID(UInt16(partition))) {}
                    }
                    answered(nil)
                }
            }
        }
    }

    /// Where the next page begins; nil if there is none.
    private func merge(_ answers: [NodeID: ListChunksReply], into listing: inout Listing) -> UInt32? {
        let next = answers.values.compactMap(\.next).min()
        let end = next ?? listing.indices.upperBound
        var chunks: [UInt32: UInt32] = [:]
        for answer in answers.values {
            for entry in answer.entries where entry.index >= listing.indices.lowerBound && entry.index < end {
                chunks[entry.index] = max(chunks[entry.index] ?? 0, entry.allocatedBlocks)
            }
        }
        listing.found += chunks.keys.sorted().map {
            ListChunksReply.Entry(index: $0, allocatedBlocks: chunks[$0] ?? 0)
        }
        return next
    }
}
