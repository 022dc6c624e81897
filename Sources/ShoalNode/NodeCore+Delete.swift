import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire
import Synchronization

extension NodeCore {
    /// Chunks that no file refers to any more. Only the leader asks; their data IDs are never used again. An index of
    /// `everyIndex` stands for every chunk that the node has of the data ID.
    func delete(_ message: ChunkListRequest, _ responder: any Responder) {
        if let verdict = admission.admitEpoch(message.epoch) {
            return postpone(verdict, chunk: message.chunks.first ?? .none, responder: responder) { [self] in
                delete(message, responder)
            }
        }
        let files = message.chunks.filter { $0.index == ChunkListRequest.everyIndex }.map(\.data)
        guard !files.isEmpty else { return delete(message.chunks, hasMore: false, responder) }
        let named = message.chunks.filter { $0.index != ChunkListRequest.everyIndex }
        let partitions = map.partitions.indices.map { PartitionID(UInt16($0)) }
        threads.scan { [self] store in
            do throws(ChunkStoreError) {
                var chunks = named
                var hasMore = false
                for data in files {
                    guard chunks.count < ChunkListRequest.chunksMax else {
                        hasMore = true
                        break
                    }
                    let list = try store.list(data, 0..<UInt32.max, in: partitions, limit: ChunkListRequest.chunksMax)
                    chunks += list.entries.map { ChunkID(data: data, index: $0.index) }
                    hasMore = hasMore || list.next != nil
                }
                let (found, isPart) = (chunks, hasMore)
                post { [self] in delete(found, hasMore: isPart, responder) }
            } catch {
                responder.reply(error.status)
            }
        }
    }

    /// With `hasMore` the answer is `.notReady`: the leader asks for the rest.
    private func delete(_ chunks: [ChunkID], hasMore: Bool, _ responder: any Responder) {
        guard !chunks.isEmpty else { return responder.reply(hasMore ? .notReady : .ok) }
        let map = map
        let remaining = SharedCountdown(chunks.count)
        let outcome = DeletionOutcome(hasMore ? .notReady : .ok)
        for chunk in chunks {
            // A copy that is under way would bring the chunk back.
            pulls.whenIdle(chunk) { [self] in
                threads.submit(chunk) { [self] store in
                    do throws(ChunkStoreError) { try store.delete(chunk, in: map.partition(of: chunk)) } catch {
                        noteFailure(error)
                        outcome.fail(error)
                    }
                    if remaining.countDown() { responder.reply(outcome.status) }
                }
            }
        }
    }
}

/// The first failure among several deletions.
private final class DeletionOutcome: Sendable {
    private let first = Mutex<ChunkStoreError?>(nil)
    private let success: WireStatus
    init(_ success: WireStatus) { self.success = success }
    func fail(_ error: ChunkStoreError) { first.withLock { $0 = $0 ?? error } }
    var status: WireStatus { first.withLock { $0?.status ?? success } }
}
