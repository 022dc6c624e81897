import Logging
import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Mends blocks that no longer match their checksums, from another in-sync replica. A block is put back only if the
/// bytes match the checksum that came with them, and that is the one stored here: then it is the block that was lost.
final class ChunkRepair: @unchecked Sendable {  // confined to the loop
    enum Outcome {
        case sound
        case repaired
        case failed
    }

    private unowned let core: NodeCore
    private var active: [ChunkID: [(Outcome) -> Void]] = [:]

    init(core: NodeCore) { self.core = core }

    /// A reader found bad bytes. Answered when all chunks are sound again; `.failed(.inputOutput)` if one cannot be
    /// mended.
    func verify(_ message: ChunkListRequest, _ responder: any Responder) {
        if let verdict = core.admission.admitEpoch(message.epoch) {
            return core.postpone(verdict, chunk: message.chunks.first ?? .none, responder: responder) { [self] in
                verify(message, responder)
            }
        }
        guard active.count < core.limits.queuedRequestsMax else { return responder.reply(.notReady) }
        let gathering = Gathering(message.chunks.count) { isSound in
            responder.reply(isSound ? .ok : .failed(.inputOutput))
        }
        for chunk in message.chunks {
            check(chunk) { outcome in
                if case .failed = outcome { gathering.add(false) } else { gathering.add(true) }
            }
        }
    }

    /// Verifies a chunk and mends it. Joins a check of the same chunk that is under way.
    func check(_ chunk: ChunkID, completion: @escaping (Outcome) -> Void) {
        if active[chunk] != nil {
            active[chunk]?.append(completion)
        } else {
            active[chunk] = [completion]
            verify(chunk, attempt: 0)
        }
    }

    private func finish(_ chunk: ChunkID, _ outcome: Outcome) {
        for completion in active.removeValue(forKey: chunk) ?? [] { completion(outcome) }
    }

    private func verify(_ chunk: ChunkID, attempt: Int) {
        let partition = core.map.partition(of: chunk)
        core.threads.submit(chunk) { [self, core] store in
            let result: Result<[Range<Int>], ChunkStoreError>
            do throws(ChunkStoreError) { result = .success(try store.verify(chunk, in: partition)) } catch {
                result = .failure(error)
            }
            core.post { [self] in
                switch result {
                case .success(let bad) where bad.isEmpty: end(chunk, attempt: attempt)
                case .success(let bad): mend(chunk, in: partition, bad, attempt: attempt)
                case .failure(let error):
                    core.logger.error("cannot verify chunk \(chunk): \(error)")
                    finish(chunk, .failed)
                }
            }
        }
    }

    private func end(_ chunk: ChunkID, attempt: Int) {
        guard attempt > 0 else { return finish(chunk, .sound) }
        core.usage.repairedChunks += 1
        core.logger.notice("chunk \(chunk) is mended")
        finish(chunk, .repaired)
    }

    private func mend(_ chunk: ChunkID, in partition: PartitionID, _ bad: [Range<Int>], attempt: Int) {
        if attempt == 0 {
            core.usage.corruptChunks += 1
            core.logger.error("chunk \(chunk) is corrupt", metadata: ["bytes": "\(bad)"])
        }
        let others = core.map[partition].inSync.filter { $0 != core.admission.node }
        guard attempt < core.limits.repairAttemptsMax, !others.isEmpty, !core.isStopping else {
            core.logger.error("chunk \(chunk) cannot be mended: no other replica has the bytes")
            return finish(chunk, .failed)
        }
        let source = others[attempt % others.count]
        let pieces = bad.flatMap { range in
            stride(from: range.lowerBound, to: range.upperBound, by: Geometry.requestBytesMax).map {
                $0..<min($0 + Geometry.requestBytesMax, range.upperBound)
            }
        }
        compare(chunk, with: source) { [self] digest, hasSameContent in
            let job = Job(chunk: chunk, partition: partition, source: source, digest: digest, isEqual: hasSameContent)
            mend(pieces[...], job) { [self] isMended in
                // At once after success; after a failure the other side may need a moment.
                let pause = isMended ? Interval(nanoseconds: 0) : core.limits.retryPause
                core.scheduler.schedule(after: pause) { [weak self] in self?.verify(chunk, attempt: attempt + 1) }
            }
        }
    }

    private struct Job {
        let chunk: ChunkID
        let partition: PartitionID
        let source: NodeID
        /// The source's; nil if it did not answer, or has no such chunk.
        let digest: ChunkDigest?
        /// Both sides' digests of the chunk agree.
        let isEqual: Bool
    }

    private func compare(_ chunk: ChunkID, with source: NodeID, completion: @escaping (ChunkDigest?, Bool) -> Void) {
        guard let peer = core.peers.peer(source, map: core.map) else { return completion(nil, false) }
        let message = ChunkListRequest(epoch: core.map.epoch, chunks: [chunk])
        peer.call(.statChunks, message, deadline: core.limits.peerDeadline) { [core] reply in
            guard case .success(let answer) = reply.decode(ChunkDigestReply.self), let theirs = answer.digests.first
            else {
                return completion(nil, false)
            }
            let bound = LoopBound(completion)
            core.localDigests([chunk]) { result in
                core.post {
                    guard case .success(let digests) = result, let own = digests[0] else {
                        return bound.value(theirs, false)
                    }
                    bound.value(theirs, own.hasSameContent(as: theirs))
                }
            }
        }
    }

    private func mend(_ pieces: ArraySlice<Range<Int>>, _ job: Job, completion: @escaping (Bool) -> Void) {
        guard let piece = pieces.first else { return completion(true) }
        guard let digest = job.digest, let peer = core.peers.peer(job.source, map: core.map) else {
            return completion(false)
        }
        let message = ReadChunkRequest(
            epoch: core.map.epoch, chunk: job.chunk, offset: UInt32(piece.lowerBound), length: UInt32(piece.count),
            isResync: true)
        peer.call(.readChunk, message, deadline: core.limits.peerDeadline) { [self, core] reply in
            guard case .success(let answer) = reply.decode(ReadChunkReply.self),
                reply.payload.count == answer.checksums.count * Geometry.blockBytes
            else { return completion(false) }
            let payload = core.payloads.copy(reply.payload)
            let bound = LoopBound((job: job, completion: completion))
            core.threads.submit(job.chunk) {
                [self, core, chunk = job.chunk, partition = job.partition, isEqual = job.isEqual] store in
                let failure: ChunkStoreError?
                do throws(ChunkStoreError) {
                    try store.mendBlocks(
                        of: chunk, in: partition, like: digest, hasSameContent: isEqual, offset: piece.lowerBound,
                        payload.bytes, answer.checksums)
                    failure = nil
                } catch { failure = error }
                core.post { [self] in
                    guard let failure else {
                        return mend(pieces.dropFirst(), bound.value.job, completion: bound.value.completion)
                    }
                    core.noteFailure(failure)
                    bound.value.completion(false)
                }
            }
        }
    }
}
