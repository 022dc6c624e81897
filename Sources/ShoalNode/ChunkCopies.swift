import Logging
import ShoalChecksum
import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Chunks that become equal to chunks of other files (copy_file_range(2)): each replica of the target reads the source
/// from an in-sync replica, this node's own if it has one, and writes it as the client would have.
///
/// A copy takes a while, so it holds its chunk: what is admitted for it later waits, and nothing that was admitted
/// before a retry can land after it. Whether the client may still write is asked again before each step.
final class ChunkCopies: @unchecked Sendable {  // confined to the loop
    private final class Job {
        let message: CopyChunkRequest
        let responder: any Responder
        let partition: PartitionID
        /// In-sync replicas of the source that have not been tried.
        var sources: [NodeID]
        init(_ message: CopyChunkRequest, _ responder: any Responder, _ partition: PartitionID, sources: [NodeID]) {
            self.message = message
            self.responder = responder
            self.partition = partition
            self.sources = sources
        }
    }

    private unowned let core: NodeCore
    private var activeCount = 0

    init(core: NodeCore) { self.core = core }

    func copy(_ message: CopyChunkRequest, _ responder: any Responder) {
        guard message.chunk != message.source else { return responder.reply(.badRequest) }
        guard activeCount < core.limits.copiesMax else { return responder.reply(.notReady) }
        guard let partition = core.admit(message, responder, again: { [self] in copy(message, responder) }) else {
            return
        }
        let own = core.admission.node
        let inSync = core.map[core.map.partition(of: message.source)].inSync
        let sources = inSync.filter { $0 != own } + inSync.filter { $0 == own }
        let job = Job(message, responder, partition, sources: sources)
        activeCount += 1
        core.admission.copying.insert(message.chunk)
        core.pulls.enter(message.chunk) { [self] in begin(job) }
    }

    private func end(_ job: Job, _ reply: (any Responder) -> Void) {
        activeCount -= 1
        core.admission.copying.remove(job.message.chunk)
        core.pulls.leave(job.message.chunk)
        reply(job.responder)
        core.release(job.message.chunk)
    }

    private func fail(_ job: Job, _ status: WireStatus) { end(job) { $0.reply(status) } }

    // MARK: Reading

    /// With the next source; without one the client comes again.
    private func begin(_ job: Job) {
        guard let source = job.sources.popLast() else { return fail(job, .notReady) }
        layout(of: job.message.source, on: source) { [self] result in
            switch result {
            case .success(let layout): copy(job, from: source, layout, runs: layout.dataRuns[...], after: 0)
            case .failure(let status): sourceFailed(job, source, status)
            }
        }
    }

    private func sourceFailed(_ job: Job, _ source: NodeID, _ status: WireStatus) {
        if status == .staleEpoch { core.fetchMap() }
        if status == .badChecksum {
            core.logger.warning("node \(source) has bad bytes of chunk \(job.message.source)")
            if job.sources.isEmpty { return fail(job, .failed(.inputOutput)) }
        }
        begin(job)
    }

    private func layout(
        of chunk: ChunkID, on node: NodeID, completion: @escaping (Result<ChunkLayoutReply, WireStatus>) -> Void
    ) {
        let epoch = core.map.epoch
        guard node == core.admission.node else {
            guard let peer = core.peers.peer(node, map: core.map) else { return completion(.failure(.unreachable)) }
            let request = ChunkLayoutRequest(epoch: epoch, chunk: chunk)
            return peer.call(.chunkLayout, request, deadline: core.limits.peerDeadline) {
                completion($0.decode(ChunkLayoutReply.self))
            }
        }
        guard case .admit(let partition) = core.admission.admitRead(epoch: epoch, chunk: chunk) else {
            return completion(.failure(.notReady))
        }
        let bound = LoopBound(completion)
        core.threads.submit(chunk) { [core] store in
            let result: Result<ChunkLayoutReply, WireStatus>
            do throws(ChunkStoreError) {
                let layout = try store.layout(chunk, in: partition)
                result = .success(
                    ChunkLayoutReply(blockCount: UInt32(layout?.blockCount ?? 0), holes: layout?.holes.words ?? []))
            } catch {
                result = .failure(error.status)
            }
            core.post { bound.value(result) }
        }
    }

    private func read(
        _ chunk: ChunkID, _ blocks: Range<Int>, on node: NodeID,
        completion: @escaping (Result<(payload: Payload, checksums: [UInt32]), WireStatus>) -> Void
    ) {
        let block = Geometry.blockBytes
        let epoch = core.map.epoch
        guard node == core.admission.node else {
            guard let peer = core.peers.peer(node, map: core.map) else { return completion(.failure(.unreachable)) }
            let request = ReadChunkRequest(
                epoch: epoch, chunk: chunk, offset: UInt32(blocks.lowerBound * block),
                length: UInt32(blocks.count * block))
            return peer.call(.readChunk, request, deadline: core.limits.peerDeadline) { [core] reply in
                switch reply.decode(ReadChunkReply.self) {
                case .failure(let status): completion(.failure(status))
                case .success(let answer):
                    guard answer.checksums.count == blocks.count, reply.payload.count == blocks.count * block else {
                        return completion(.failure(.badChecksum))
                    }
                    completion(.success((core.payloads.copy(reply.payload), answer.checksums)))
                }
            }
        }
        guard case .admit(let partition) = core.admission.admitRead(epoch: epoch, chunk: chunk) else {
            return completion(.failure(.notReady))
        }
        let bound = LoopBound(completion)
        core.threads.submit(chunk) { [core] store in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: blocks.count * block, alignment: block)
            defer { buffer.deallocate() }
            var checksums: [UInt32] = []
            let result: Result<(payload: Payload, checksums: [UInt32]), WireStatus>
            do throws(ChunkStoreError) {
                let filled = try store.read(
                    chunk, in: partition, offset: blocks.lowerBound * block, into: buffer, checksums: &checksums)
                result =
                    filled == buffer.count
                    ? .success((core.payloads.copy(UnsafeRawBufferPointer(buffer)), checksums)) : .failure(.badChecksum)
            } catch {
                result = .failure(error.status)
            }
            core.post { bound.value(result) }
        }
    }

    // MARK: Writing

    /// One request's worth of data at a time; `after` is the block up to which the target is as it should be.
    private func copy(
        _ job: Job, from node: NodeID, _ layout: ChunkLayoutReply, runs: ArraySlice<Range<Int>>, after done: Int
    ) {
        guard var run = runs.first else { return complete(job, layout, after: done) }
        var rest = runs.dropFirst()
        let most = Geometry.requestBytesMax / Geometry.blockBytes
        if run.count > most {
            rest = [run.lowerBound + most..<run.upperBound] + rest
            run = run.lowerBound..<run.lowerBound + most
        }
        let (blocks, left) = (run, rest)
        read(job.message.source, blocks, on: node) { [self] result in
            switch result {
            case .failure(let status): sourceFailed(job, node, status)
            case .success(let (payload, checksums)):
                change(job) { (store, message, partition) throws(ChunkStoreError) in
                    let mismatch = CRC32C.firstMismatch(
                        in: payload.bytes, blockBytes: Geometry.blockBytes, checksums: checksums)
                    guard mismatch == nil else { return nil }
                    try store.makeHole(message, partition, done..<blocks.lowerBound)
                    return try store.write(
                        message.chunk, in: partition, chunkBytesLog2: message.chunkBytesLog2,
                        offset: blocks.lowerBound * Geometry.blockBytes, bytes: payload.bytes, checksums: checksums,
                        version: message.version, sequence: message.sequence)
                } then: { [self] allocated in
                    guard allocated != nil else { return sourceFailed(job, node, .badChecksum) }
                    copy(job, from: node, layout, runs: left, after: blocks.upperBound)
                }
            }
        }
    }

    /// What the source does not have at its end.
    private func complete(_ job: Job, _ layout: ChunkLayoutReply, after done: Int) {
        let length = Int(layout.blockCount) * Geometry.blockBytes
        change(job) { (store, message, partition) throws(ChunkStoreError) in
            try store.makeHole(message, partition, done..<Int(layout.blockCount))
            return try store.truncate(
                message.chunk, in: partition, length: length, version: message.version, sequence: message.sequence)
        } then: { [self] allocated in
            end(job) { $0.reply(ChunkSpaceReply(allocatedBlocks: UInt32(allocated ?? 0))) }
        }
    }

    /// Changes the target on its thread, if its client may still write; then goes on here. A failure ends the job.
    private func change(
        _ job: Job,
        _ body: @escaping @Sendable (ChunkStore, CopyChunkRequest, PartitionID) throws(ChunkStoreError) -> Int?,
        then: @escaping (Int?) -> Void
    ) {
        switch core.verdict(on: job.message) {
        case .admit, .awaitChunk: break
        case .refuse(let status): return fail(job, status)
        case .awaitMap: return fail(job, .notReady)
        }
        let bound = LoopBound((job: job, then: then))
        core.threads.submit(job.message.chunk) { [self, core, message = job.message, partition = job.partition] store in
            let result: Result<Int?, ChunkStoreError>
            do throws(ChunkStoreError) { result = .success(try body(store, message, partition)) } catch {
                result = .failure(error)
            }
            core.post { [self] in
                switch result {
                case .success(let allocated): bound.value.then(allocated)
                case .failure(let error):
                    core.noteFailure(error)
                    core.written.forgetBlocks(of: message.chunk)
                    fail(bound.value.job, error.status)
                }
            }
        }
    }
}

extension ChunkStore {
    /// Empties what the target has where the source has a hole.
    fileprivate func makeHole(
        _ message: CopyChunkRequest, _ partition: PartitionID, _ blocks: Range<Int>
    ) throws(ChunkStoreError) {
        if blocks.isEmpty { return }
        // A hole that reaches the target's end is cut off here; later data of the source makes the gap again.
        try punch(
            message.chunk, in: partition, offset: blocks.lowerBound * Geometry.blockBytes,
            length: blocks.count * Geometry.blockBytes, version: message.version, sequence: message.sequence)
    }
}

extension ChunkLayoutReply {
    /// The blocks with data, in runs.
    package var dataRuns: [Range<Int>] {
        var runs: [Range<Int>] = []
        for block in 0..<Int(blockCount) where isData(block) {
            if let last = runs.last, last.upperBound == block {
                runs[runs.count - 1] = last.lowerBound..<block + 1
            } else {
                runs.append(block..<block + 1)
            }
        }
        return runs
    }
}
