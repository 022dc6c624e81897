import Logging
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    /// Takes over a map that came with a registration, as a notice or as an answer. Older ones have no effect.
    func apply(_ newer: ClusterMap) {
        let old = map
        guard let change = admission.apply(newer) else { return }
        peers.prune(newer)
        for session in change.newlyFenced {
            let chunks = written.take(session)
            logger.info("session \(session) is fenced", metadata: ["chunks": "\(chunks.count)"])
            reconciliation.begin(chunks)
        }
        if !change.resyncing.isEmpty {
            let missed = Set(change.resyncing)
            written.forgetBlocks { missed.contains(newer.partition(of: $0)) }
        }
        reconciliation.mapChanged()
        resync.mapChanged(started: change.resyncing)
        cleaning.mapChanged(from: old, to: newer)
        for entry in waiting.takeForMap(upTo: newer.epoch) { entry.retry() }
        // Any chunk may be served or refused by now: those still blocked wait again.
        for chunk in waiting.chunks { release(chunk) }
    }

    /// Fetches the map; one fetch serves everybody who waits. Who still waits for a newer one then is answered
    /// `.notReady`.
    func fetchMap() {
        guard !isFetchingMap, !isStopping else { return }
        isFetchingMap = true
        link.fetchMap(deadline: limits.mapWait) { [self] fetched in
            isFetchingMap = false
            if let fetched { apply(fetched) }
            for entry in waiting.takeAllForMap() { entry.responder.reply(.notReady) }
        }
    }

    /// Answers what cannot be admitted now, or keeps it until it can.
    func postpone(
        _ verdict: Admission.Verdict, chunk: ChunkID, responder: any Responder, retry: @escaping () -> Void
    ) {
        guard waiting.count < limits.queuedRequestsMax else { return responder.reply(.notReady) }
        switch verdict {
        case .admit: preconditionFailure("an admitted request is served")
        case .refuse(.staleEpoch):
            responder.reply(.staleEpoch, message: HeartbeatReply(epoch: map.epoch).encoded())
        case .refuse(let status): responder.reply(status)
        case .awaitMap(let epoch):
            waiting.add(
                WaitingRequests.Entry(deadline: scheduler.now + limits.mapWait, responder: responder, retry: retry),
                epoch: epoch)
            fetchMap()
        case .awaitChunk(let partition):
            waiting.add(
                WaitingRequests.Entry(deadline: scheduler.now + limits.chunkWait, responder: responder, retry: retry),
                chunk: chunk)
            if !admission.progress.isCurrent(chunk, in: partition) { resync.fetchNow(chunk, in: partition) }
        }
    }

    /// Tries the requests again that wait for the chunk, in order of arrival.
    func release(_ chunk: ChunkID) {
        for entry in waiting.take(chunk) { entry.retry() }
    }
}
