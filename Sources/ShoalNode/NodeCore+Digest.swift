import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    /// A range of a partition's chunks, for a node that catches up. By now the requester's epoch is known here, so
    /// writes under older maps are refused; those admitted before are applied first.
    func digest(_ message: PartitionDigestRequest, _ responder: any Responder) {
        let verdict = admission.admitSource(epoch: message.epoch, partition: message.partition)
        guard case .admit(let partition) = verdict else {
            return postpone(verdict, chunk: .none, responder: responder) { [self] in digest(message, responder) }
        }
        let work: @Sendable (ChunkStore) -> Void = { store in
            do throws(ChunkStoreError) {
                let limit = ChunkDigestReply.chunksMax
                let records = try store.scan(partition, after: message.after, limit: limit)
                responder.reply(
                    ChunkDigestReply(digests: records.map { ChunkDigest($0) }, isEnd: records.count < limit))
            } catch {
                responder.reply(error.status)
            }
        }
        if message.after == nil { threads.scanAfterBarrier(work) } else { threads.scan(work) }
    }
}
