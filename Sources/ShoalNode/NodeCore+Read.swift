import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    func read(_ message: ReadChunkRequest, _ responder: any Responder) {
        guard message.isWellFormed else { return responder.reply(.badRequest) }
        let verdict = admission.admitRead(epoch: message.epoch, chunk: message.chunk, isResync: message.isResync)
        guard case .admit(let partition) = verdict else {
            return postpone(verdict, chunk: message.chunk, responder: responder) { [self] in read(message, responder) }
        }
        usage.reads += 1
        usage.bytesRead += UInt64(message.length)
        threads.submit(message.chunk) { store in
            responder.reply(payloadCapacity: Int(message.length)) { buffer in
                do throws(ChunkStoreError) {
                    var checksums: [UInt32] = []
                    let filled = try store.read(
                        message.chunk, in: partition, offset: Int(message.offset), into: buffer, checksums: &checksums)
                    var holes: [UInt64] = []
                    if message.isResync, let layout = try store.layout(message.chunk, in: partition) {
                        holes = layout.holes.words(from: Int(message.offset) / Geometry.blockBytes, checksums.count)
                    }
                    return (.ok, ReadChunkReply(checksums: checksums, holes: holes).encoded(), filled)
                } catch {
                    return (error.status, [], 0)
                }
            }
        }
    }
}

extension ReadChunkRequest {
    /// Whole blocks, in bounds.
    package var isWellFormed: Bool {
        let block = UInt32(Geometry.blockBytes)
        return offset % block == 0 && length % block == 0 && length > 0 && length <= Geometry.requestBytesMax
            && Int(offset) + Int(length) <= 1 << Int(Geometry.chunkBytesLog2Range.upperBound)
    }
}
