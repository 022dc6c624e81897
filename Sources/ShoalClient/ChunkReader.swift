import Logging
import ShoalChecksum
import ShoalRPC
import ShoalTypes
import ShoalWire

/// Reads parts of chunks from whichever in-sync replica answers with bytes that match their checksums.
final class ChunkReader {
    /// Blocks of a chunk: offset and length are multiples of the block size.
    struct Part {
        var chunk: ChunkID
        var offset: Int
        var length: Int
        /// The least epoch that the reader's lease allows.
        var minimumEpoch: Epoch
    }

    private let view: ClusterView
    private let scheduler: any Scheduler
    private let limits: ClientLimits
    private let logger: Logger

    init(view: ClusterView, scheduler: any Scheduler, limits: ClientLimits, logger: Logger) {
        self.view = view
        self.scheduler = scheduler
        self.limits = limits
        self.logger = logger
    }

    private struct Attempt {
        /// Nodes that did not answer, or are not ready: asked again when nobody else is left.
        var silent: Set<NodeID> = []
        /// Nodes whose disk fails or whose bytes do not match: asking again would not help.
        var failed: Set<NodeID> = []
        /// What the last of those said.
        var failure = FileError.inputOutput
        let deadline: MonotonicInstant
    }

    /// `completion` gets the bytes, verified, valid during the call: the start of the part, as far as it is no hole.
    func read(_ part: Part, completion: @escaping (Result<UnsafeRawBufferPointer, FileError>) -> Void) {
        attempt(part, Attempt(deadline: scheduler.now + limits.nodeDeadline), completion)
    }

    private func attempt(
        _ part: Part, _ attempt: Attempt, _ completion: @escaping (Result<UnsafeRawBufferPointer, FileError>) -> Void
    ) {
        guard view.map.epoch >= part.minimumEpoch, !view.map.partitions.isEmpty else {
            return again(part, attempt, afterRefresh: true, completion)
        }
        let partition = view.map.partition(of: part.chunk)
        let inSync = view.map[partition].inSync
        if !inSync.isEmpty, inSync.allSatisfy(attempt.failed.contains) {
            logger.error("chunk \(part.chunk): no replica can serve it: \(attempt.failure)")
            return completion(.failure(attempt.failure))
        }
        guard let node = view.readReplica(of: partition, avoiding: attempt.silent.union(attempt.failed)),
            let peer = view.peer(node)
        else {
            var fresh = attempt
            fresh.silent = []
            return again(part, fresh, afterRefresh: true, completion)
        }
        let request = ReadChunkRequest(
            epoch: view.map.epoch, chunk: part.chunk, offset: UInt32(part.offset), length: UInt32(part.length))
        peer.call(.readChunk, request, deadline: limits.nodeAttemptDeadline) { [self] reply in
            var next = attempt
            switch reply.decode(ReadChunkReply.self) {
            case .success(let message):
                let blockBytes = Geometry.blockBytes
                guard reply.payload.count <= part.length,
                    CRC32C.firstMismatch(in: reply.payload, blockBytes: blockBytes, checksums: message.checksums) == nil
                else {
                    corrupt(part.chunk, on: node)
                    next.failed.insert(node)
                    return self.attempt(part, next, completion)
                }
                completion(.success(reply.payload))
            case .failure(.badChecksum):
                corrupt(part.chunk, on: node)
                next.failed.insert(node)
                self.attempt(part, next, completion)
            case .failure(.staleEpoch), .failure(.notReplica):
                again(part, next, afterRefresh: true, completion)
            case .failure(.unreachable) where !view.isCurrent(peer, of: node):
                // This side closed the connection, with the session or the node's address: no fault of the node.
                again(part, next, afterRefresh: true, completion)
            case .failure(.unreachable):
                view.report(node, partition: partition) {}
                next.silent.insert(node)
                again(part, next, afterRefresh: false, completion)
            case .failure(.notReady):
                next.silent.insert(node)
                again(part, next, afterRefresh: false, completion)
            case .failure(let status):
                next.failed.insert(node)
                next.failure = status.fileError
                self.attempt(part, next, completion)
            }
        }
    }

    /// Tries again: at once if another replica is left, else after a pause, with a fresh map if asked.
    private func again(
        _ part: Part, _ attempt: Attempt, afterRefresh: Bool,
        _ completion: @escaping (Result<UnsafeRawBufferPointer, FileError>) -> Void
    ) {
        guard scheduler.now < attempt.deadline else { return completion(.failure(.inputOutput)) }
        let retry = { [self] in self.attempt(part, attempt, completion) }
        guard afterRefresh else { return retry() }
        let epoch = view.map.epoch
        view.refresh { [self] in
            if view.map.epoch > epoch, view.map.epoch >= part.minimumEpoch { return retry() }
            scheduler.schedule(after: limits.retryPause, retry)
        }
    }

    private func corrupt(_ chunk: ChunkID, on node: NodeID) {
        logger.error(
            "chunk \(chunk): node \(node) served bytes that do not match their checksums; trying another replica")
        view.peer(node)?.call(
            .verifyChunks, ChunkListRequest(epoch: view.map.epoch, chunks: [chunk]), deadline: limits.nodeDeadline
        ) { _ in }
    }
}
