import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    /// Where a chunk has data.
    func layout(_ message: ChunkLayoutRequest, _ responder: any Responder) {
        let verdict = admission.admitRead(epoch: message.epoch, chunk: message.chunk)
        guard case .admit(let partition) = verdict else {
            return postpone(verdict, chunk: message.chunk, responder: responder) { [self] in
                layout(message, responder)
            }
        }
        threads.submit(message.chunk) { store in
            do throws(ChunkStoreError) {
                let layout = try store.layout(message.chunk, in: partition)
                responder.reply(
                    ChunkLayoutReply(blockCount: UInt32(layout?.blockCount ?? 0), holes: layout?.holes.words ?? []))
            } catch {
                responder.reply(error.status)
            }
        }
    }

    /// The chunks of a data ID in the partitions of which this node is an in-sync replica. Writes that have been
    /// answered are in the index, and the client asks for no others.
    func list(_ message: ListChunksRequest, _ responder: any Responder) {
        if let verdict = admission.admitEpoch(message.epoch) {
            return postpone(verdict, chunk: .none, responder: responder) { [self] in list(message, responder) }
        }
        guard message.epoch == map.epoch else { return responder.reply(.staleEpoch) }
        guard message.from < message.to else { return responder.reply(.badRequest) }
        let node = admission.node
        let partitions = map.partitions.indices.map { PartitionID(UInt16($0)) }.filter {
            map[$0].state(of: node) == .inSync
        }
        threads.scan { store in
            do throws(ChunkStoreError) {
                let list = try store.list(
                    message.data, message.from..<message.to, in: partitions, limit: ListChunksReply.entriesMax)
                let entries = list.entries.map {
                    ListChunksReply.Entry(index: $0.index, allocatedBlocks: $0.allocatedBlocks)
                }
                responder.reply(ListChunksReply(entries: entries, next: list.next))
            } catch {
                responder.reply(error.status)
            }
        }
    }
}
