import Logging
import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Brings this node's syncing partitions level with their sources: compares digests range by range, fetches what
/// differs, makes the result durable, and tells the leader. `ResyncProgress` holds what is known; a partition whose
/// basis changes starts again, and answers that belong to an earlier basis are dropped.
final class Resync: @unchecked Sendable {  // confined to the loop
    private unowned let core: NodeCore
    private var queue: [PartitionID] = []
    private var active: [PartitionID: ResyncProgress.Basis] = [:]
    private var fetches: [(chunk: ChunkID, partition: PartitionID, basis: ResyncProgress.Basis)] = []
    private var fetchesRunning = 0
    /// Chunks that a waiting write needs.
    private var urgent: Set<ChunkID> = []
    private var caughtUp: [PartitionID: ResyncProgress.Basis] = [:]
    private var isReportScheduled = false
    /// Bytes that may be copied now; grows with time, at most to one second's worth.
    private var allowance: Double
    private var allowanceAt: MonotonicInstant
    private var isPaused = false

    init(core: NodeCore) {
        self.core = core
        allowance = Double(core.limits.resyncBytesPerSecond)
        allowanceAt = core.scheduler.now
    }

    func mapChanged(started: [PartitionID]) {
        active = active.filter { isCurrent($0.key, $0.value) }
        caughtUp = caughtUp.filter { isCurrent($0.key, $0.value) }
        fetches.removeAll { !isCurrent($0.partition, $0.basis) }
        if !started.isEmpty {
            core.logger.info("resync of \(started.count) partitions begins")
            let known = Set(queue)
            queue += started.filter { !known.contains($0) }
        }
        advance()
    }

    /// A write waits for this chunk: fetch it before all others. Several calls for one chunk do no harm.
    func fetchNow(_ chunk: ChunkID, in partition: PartitionID) {
        guard let basis = core.admission.progress.basis(of: partition), urgent.insert(chunk).inserted else { return }
        core.pulls.pull(
            chunk, in: partition, from: basis.source, isValid: { [self] in isCurrent(partition, basis) }
        ) { [self] outcome in
            urgent.remove(chunk)
            guard isCurrent(partition, basis), settle(chunk, partition, outcome) else {
                // Those who still wait try again, under whatever map there is then.
                core.scheduler.schedule(after: core.limits.retryPause) { [weak core] in core?.release(chunk) }
                return
            }
            if active[partition] == basis { continueIfFetched(partition, basis) }
        }
    }

    private func isCurrent(_ partition: PartitionID, _ basis: ResyncProgress.Basis) -> Bool {
        !core.isStopping && core.admission.progress.basis(of: partition) == basis
    }

    private func advance() {
        guard !core.isStopping, !core.admission.isStoreBad else { return }
        while active.count < core.limits.resyncPartitionsMax, !queue.isEmpty {
            let partition = queue.removeFirst()
            guard active[partition] == nil, let basis = core.admission.progress.basis(of: partition) else { continue }
            active[partition] = basis
            compare(partition, basis)
        }
        fetchMore()
    }

    /// Asks the source for its next range of chunks.
    private func compare(_ partition: PartitionID, _ basis: ResyncProgress.Basis) {
        guard active[partition] == basis, isCurrent(partition, basis) else { return advance() }
        guard let peer = core.peers.peer(basis.source, map: core.map) else { return retry(partition, basis) }
        let after = core.admission.progress.cursor(of: partition)
        let message = PartitionDigestRequest(epoch: core.map.epoch, partition: partition, after: after)
        peer.call(.partitionDigest, message, deadline: core.limits.peerDeadline) { [self] reply in
            guard active[partition] == basis, isCurrent(partition, basis) else { return advance() }
            switch reply.decode(ChunkDigestReply.self) {
            case .success(let answer) where answer.isEnd || !answer.digests.isEmpty:
                compareLocal(partition, basis, after: after, source: answer)
            case .success: retry(partition, basis)
            case .failure(let status):
                if status == .staleEpoch { core.fetchMap() }
                retry(partition, basis)
            }
        }
    }

    private func retry(_ partition: PartitionID, _ basis: ResyncProgress.Basis) {
        core.scheduler.schedule(after: core.limits.retryPause) { [weak self] in self?.compare(partition, basis) }
    }

    private func compareLocal(
        _ partition: PartitionID, _ basis: ResyncProgress.Basis, after: ChunkID?, source: ChunkDigestReply
    ) {
        let last = source.isEnd ? nil : source.digests.last?.chunk
        let work: @Sendable (ChunkStore) -> Void = { [self, core] store in
            let result: Result<[ChunkID], ChunkStoreError>
            do throws(ChunkStoreError) {
                let local = try store.digests(of: partition, after: after, through: last)
                result = .success(ChunkDifference.between(local: local, source: source.digests))
            } catch { result = .failure(error) }
            core.post { [self] in
                guard active[partition] == basis, isCurrent(partition, basis) else { return advance() }
                switch result {
                case .success(let different):
                    for chunk in core.admission.progress.advance(partition, to: last, different: different) {
                        fetches.append((chunk, partition, basis))
                    }
                    continueIfFetched(partition, basis)
                    fetchMore()
                case .failure(let error):
                    core.noteFailure(error)
                    retry(partition, basis)
                }
            }
        }
        // The first look waits for the writes that were admitted before this node began to catch up.
        if after == nil { core.threads.scanAfterBarrier(work) } else { core.threads.scan(work) }
    }

    private func continueIfFetched(_ partition: PartitionID, _ basis: ResyncProgress.Basis) {
        guard active[partition] == basis else { return }
        if core.admission.progress.isCaughtUp(partition) {
            makeDurable(partition, basis, after: nil)
        } else if core.admission.progress.hasFetchedAll(partition) {
            compare(partition, basis)
        }
    }

    /// Fetches what is known to differ, as many at a time as the limits allow.
    private func fetchMore() {
        while fetchesRunning < core.limits.resyncChunksMax, !fetches.isEmpty, mayCopy() {
            let next = fetches.removeLast()
            guard isCurrent(next.partition, next.basis),
                !core.admission.progress.isCurrent(next.chunk, in: next.partition)
            else { continue }
            fetchesRunning += 1
            core.pulls.pull(
                next.chunk, in: next.partition, from: next.basis.source,
                isValid: { [self] in isCurrent(next.partition, next.basis) }
            ) { [self] outcome in
                fetchesRunning -= 1
                if isCurrent(next.partition, next.basis) {
                    if settle(next.chunk, next.partition, outcome) {
                        continueIfFetched(next.partition, next.basis)
                    } else {
                        core.scheduler.schedule(after: core.limits.retryPause) { [weak self] in
                            guard let self, isCurrent(next.partition, next.basis) else { return }
                            fetches.append(next)
                            fetchMore()
                        }
                    }
                }
                advance()
            }
        }
    }

    /// Notes the end of a fetch; false if it has to be tried again.
    private func settle(_ chunk: ChunkID, _ partition: PartitionID, _ outcome: ChunkPulls.Outcome) -> Bool {
        switch outcome {
        case .failed: return false
        case .copied(let bytes): allowance -= Double(bytes)
        case .equal: break
        }
        core.admission.progress.markCurrent(chunk, in: partition)
        core.release(chunk)
        return true
    }

    /// False while the copied bytes exceed the rate; `fetchMore` is then called again in time.
    private func mayCopy() -> Bool {
        guard core.limits.resyncBytesPerSecond > 0 else { return true }
        let rate = Double(core.limits.resyncBytesPerSecond)
        let now = core.scheduler.now
        allowance = min(rate, allowance + (now - allowanceAt).seconds * rate)
        allowanceAt = now
        if allowance >= 0 { return true }
        if !isPaused {
            isPaused = true
            core.scheduler.schedule(after: .milliseconds(1 + Int64(-allowance / rate * 1000))) { [weak self] in
                self?.isPaused = false
                self?.fetchMore()
            }
        }
        return false
    }

    /// Syncs all chunks of a partition, a slice at a time: an in-sync replica counts for every fsync of the past.
    private func makeDurable(_ partition: PartitionID, _ basis: ResyncProgress.Basis, after: ChunkID?) {
        let slice = 4096
        core.threads.scan { [self, core] store in
            do throws(ChunkStoreError) {
                let records = try store.scan(partition, after: after, limit: slice)
                let last = records.count < slice ? nil : records.last?.chunk
                core.threads.sync(records.map { ($0.chunk, partition) }) { [self, core] result in
                    core.post { [self] in
                        guard active[partition] == basis, isCurrent(partition, basis) else { return advance() }
                        switch result {
                        case .success where last == nil: finish(partition, basis)
                        case .success: makeDurable(partition, basis, after: last)
                        case .failure(let error): core.noteFailure(error)
                        }
                    }
                }
            } catch {
                core.noteFailure(error)
            }
        }
    }

    private func finish(_ partition: PartitionID, _ basis: ResyncProgress.Basis) {
        active[partition] = nil
        caughtUp[partition] = basis
        scheduleReport(after: .milliseconds(20))
        advance()
    }

    /// Many partitions are reported at once, and again as long as the map says that they are syncing.
    private func scheduleReport(after delay: Interval) {
        guard !isReportScheduled else { return }
        isReportScheduled = true
        core.scheduler.schedule(after: delay) { [weak self] in
            guard let self else { return }
            isReportScheduled = false
            let partitions = caughtUp.keys.sorted()
            guard !partitions.isEmpty, !core.isStopping else { return }
            core.logger.info("\(partitions.count) partitions have caught up")
            core.link.reportSynced(partitions) { [weak self] _ in self?.scheduleReport(after: .seconds(1)) }
        }
    }
}

extension ChunkStore {
    /// The chunks after `after`, through `last` or to the partition's end, ascending.
    func digests(of partition: PartitionID, after: ChunkID?, through last: ChunkID?) throws(ChunkStoreError)
        -> [ChunkDigest]
    {
        let page = ChunkDigestReply.chunksMax
        var digests: [ChunkDigest] = []
        var cursor = after
        while true {
            let records = try scan(partition, after: cursor, limit: page)
            for record in records {
                if let last, record.chunk > last { return digests }
                digests.append(ChunkDigest(record))
            }
            guard records.count == page else { return digests }
            cursor = records.last?.chunk
        }
    }
}
