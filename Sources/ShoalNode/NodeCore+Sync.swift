import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    /// Answered when the chunks are on the disk for good.
    func sync(_ message: ChunkListRequest, _ responder: any Responder) {
        var chunks: [(ChunkID, PartitionID)] = []
        chunks.reserveCapacity(message.chunks.count)
        for chunk in message.chunks {
            if chunk.index == ChunkListRequest.everyIndex {
                // No partition of its own: any node may be asked for what it has not synced of a data ID.
                guard let verdict = admission.admitEpoch(message.epoch) else {
                    chunks.append((chunk, PartitionID(0)))
                    continue
                }
                return postpone(verdict, chunk: chunk, responder: responder) { [self] in sync(message, responder) }
            }
            switch admission.admitSync(epoch: message.epoch, chunk: chunk) {
            case .admit(let partition): chunks.append((chunk, partition))
            case let verdict:
                return postpone(verdict, chunk: chunk, responder: responder) { [self] in sync(message, responder) }
            }
        }
        threads.sync(chunks) { [self] result in
            switch result {
            case .success: responder.reply(.ok)
            case .failure(let error):
                noteFailure(error)
                responder.reply(error.status)
            }
        }
    }
}
