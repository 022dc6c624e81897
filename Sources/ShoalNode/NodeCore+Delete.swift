import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire
import Synchronization

extension NodeCore {
    /// Chunks that no file refers to any more. Only the leader asks; their data IDs are never used again.
    func delete(_ message: ChunkListRequest, _ responder: any Responder) {
        if let verdict = admission.admitEpoch(message.epoch) {
            return postpone(verdict, chunk: message.chunks.first ?? .none, responder: responder) { [self] in
                delete(message, responder)
            }
        }
        guard !message.chunks.isEmpty else { return responder.reply(.ok) }
        let map = map
        let remaining = SharedCountdown(message.chunks.count)
        let outcome = DeletionOutcome()
        for chunk in message.chunks {
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
    func fail(_ error: ChunkStoreError) { first.withLock { $0 = $0 ?? error } }
    var status: WireStatus { first.withLock { $0?.status ?? .ok } }
}
