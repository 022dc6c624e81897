import Logging
import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Makes chunks here equal to those of another replica: compares first, copies what differs, with checksums verified
/// on the way. One copy of a chunk at a time.
///
/// Blocks are replaced in place, piece by piece. Both replicas hold everything acknowledged, or this one is not in
/// sync, so a mixture that an interruption leaves loses nothing; the version is taken over last, so the next
/// comparison finds it. Writes to the chunk wait here meanwhile (`Admission`), so those that the source applies
/// during the copy are applied here after it. Those that were applied here before, and are on their way to the source,
/// stay (`ChangedBlocks`).
final class ChunkPulls: @unchecked Sendable {  // confined to the loop
    enum Outcome {
        case equal
        case copied(bytes: Int)
        case failed
    }

    private struct Job {
        let chunk: ChunkID
        let partition: PartitionID
        let source: NodeID
        /// False once nobody wants the result: nothing more may be stored then.
        let isValid: () -> Bool
        let completion: (Outcome) -> Void
        var restarts = 0
        var bytes = 0
    }

    private static let restartsMax = 3
    private unowned let core: NodeCore
    private var active: Set<ChunkID> = []
    private var queued: [ChunkID: [() -> Void]] = [:]

    init(core: NodeCore) { self.core = core }

    /// Runs `body` once no copy of the chunk is under way.
    func whenIdle(_ chunk: ChunkID, _ body: @escaping () -> Void) {
        if active.contains(chunk) { queued[chunk, default: []].append(body) } else { body() }
    }

    /// Waits until no copy of the chunk is under way, and makes later ones wait until `leave`.
    func enter(_ chunk: ChunkID, _ body: @escaping () -> Void) {
        whenIdle(chunk) { [self] in
            active.insert(chunk)
            body()
        }
    }

    func leave(_ chunk: ChunkID) {
        active.remove(chunk)
        while !active.contains(chunk), var bodies = queued.removeValue(forKey: chunk) {
            let next = bodies.removeFirst()
            if !bodies.isEmpty { queued[chunk] = bodies }
            next()
        }
    }

    /// `completion` runs once, on the loop.
    func pull(
        _ chunk: ChunkID, in partition: PartitionID, from source: NodeID, isValid: @escaping () -> Bool,
        completion: @escaping (Outcome) -> Void
    ) {
        let job = Job(
            chunk: chunk, partition: partition, source: source, isValid: isValid, completion: completion)
        enter(chunk) { [self] in compare(job) }
    }

    private func finish(_ job: Job, _ outcome: Outcome) {
        // Still inside for whoever `completion` asks; those that waited for the chunk come after it.
        active.remove(job.chunk)
        job.completion(outcome)
        if !active.contains(job.chunk) { leave(job.chunk) }
    }

    private func compare(_ job: Job) {
        guard job.isValid(), let peer = core.peers.peer(job.source, map: core.map) else { return finish(job, .failed) }
        let message = ChunkListRequest(epoch: core.map.epoch, chunks: [job.chunk])
        peer.call(.statChunks, message, deadline: core.limits.peerDeadline) { [self] reply in
            switch reply.decode(ChunkDigestReply.self) {
            case .success(let answer): compare(job, with: answer.digests.first)
            case .failure(let status): fail(job, status)
            }
        }
    }

    private func compare(_ job: Job, with source: ChunkDigest?) {
        let bound = LoopBound(job)
        core.localDigests([job.chunk]) { [self, core] result in
            core.post { [self] in
                guard case .success(let digests) = result else { return finish(bound.value, .failed) }
                switch (digests[0], source) {
                case (nil, nil): finish(bound.value, .equal)
                case (let local?, let source?) where local.hasSameContent(as: source): finish(bound.value, .equal)
                case (let local?, nil):
                    if core.written.blocksOfMissing(local.chunk) == nil { return remove(bound.value) }
                    copy(bound.value, .nothing(like: local), from: 0)
                case (_, let source?): copy(bound.value, source, from: 0)
                }
            }
        }
    }

    private func remove(_ job: Job) {
        guard job.isValid() else { return finish(job, .failed) }
        apply(job, { (store, chunk, partition) throws(ChunkStoreError) in try store.delete(chunk, in: partition) }) {
            [self] in finish(job, .copied(bytes: 0))
        }
    }

    private func copy(_ job: Job, _ source: ChunkDigest, from offset: Int) {
        let remaining = Int(source.length) - offset
        guard remaining > 0 else { return complete(job, source) }
        guard job.isValid(), let peer = core.peers.peer(job.source, map: core.map) else { return finish(job, .failed) }
        let length = min(remaining, Geometry.requestBytesMax)
        let message = ReadChunkRequest(
            epoch: core.map.epoch, chunk: job.chunk, offset: UInt32(offset), length: UInt32(length), isResync: true)
        peer.call(.readChunk, message, deadline: core.limits.peerDeadline) { [self] reply in
            switch reply.decode(ReadChunkReply.self) {
            case .success(let answer):
                guard answer.checksums.count * Geometry.blockBytes == length, reply.payload.count == length else {
                    return restart(job)
                }
                guard job.isValid() else { return finish(job, .failed) }
                store(job, source, offset, core.payloads.copy(reply.payload), answer)
            case .failure(let status): fail(job, status)
            }
        }
    }

    private func store(
        _ job: Job, _ source: ChunkDigest, _ offset: Int, _ payload: Payload, _ answer: ReadChunkReply
    ) {
        let bound = LoopBound(job)
        let kept = core.written.blocks(of: job.chunk, since: source.sequence)
        core.threads.submit(job.chunk) { [self, core, chunk = job.chunk, partition = job.partition] store in
            let outcome = store.copyBlocks(
                of: chunk, in: partition, like: source, keeping: kept, offset: offset, payload.bytes, answer)
            core.post { [self] in
                var job = bound.value
                job.bytes += payload.byteCount
                switch outcome {
                case .stored: copy(job, source, from: offset + payload.byteCount)
                case .sourceIsBad:
                    askToVerify(job)
                    finish(job, .failed)
                case .failed(let error):
                    core.noteFailure(error)
                    core.logger.error("cannot store chunk \(chunk): \(error)")
                    finish(job, .failed)
                }
            }
        }
    }

    private func complete(_ job: Job, _ source: ChunkDigest) {
        guard job.isValid() else { return finish(job, .failed) }
        let kept = core.written.blocks(of: job.chunk, since: source.sequence)
        apply(
            job,
            { (store, chunk, partition) throws(ChunkStoreError) in
                try store.finishCopy(of: chunk, in: partition, like: source, keeping: kept)
            }
        ) { [self] in finish(job, .copied(bytes: job.bytes)) }
    }

    /// The chunk became shorter at the source: begin again.
    private func restart(_ job: Job) {
        guard job.restarts < ChunkPulls.restartsMax else { return finish(job, .failed) }
        var again = job
        again.restarts += 1
        compare(again)
    }

    private func fail(_ job: Job, _ status: WireStatus) {
        switch status {
        case .badChecksum: askToVerify(job)
        case .staleEpoch: core.fetchMap()
        default: break
        }
        finish(job, .failed)
    }

    private func askToVerify(_ job: Job) {
        core.logger.warning("node \(job.source) sent bad bytes of chunk \(job.chunk)")
        let message = ChunkListRequest(epoch: core.map.epoch, chunks: [job.chunk])
        core.peers.peer(job.source, map: core.map)?.call(
            .verifyChunks, message, deadline: core.limits.peerDeadline
        ) { _ in }
    }

    /// Changes the store on the chunk's thread, then goes on here; a failure ends the job.
    private func apply(
        _ job: Job, _ change: @escaping @Sendable (ChunkStore, ChunkID, PartitionID) throws(ChunkStoreError) -> Void,
        then: @escaping () -> Void
    ) {
        let bound = LoopBound((job: job, then: then))
        core.threads.submit(job.chunk) { [self, core, chunk = job.chunk, partition = job.partition] store in
            let failure: ChunkStoreError?
            do throws(ChunkStoreError) {
                try change(store, chunk, partition)
                failure = nil
            } catch { failure = error }
            core.post { [self] in
                guard let failure else { return bound.value.then() }
                core.noteFailure(failure)
                finish(bound.value.job, .failed)
            }
        }
    }
}
