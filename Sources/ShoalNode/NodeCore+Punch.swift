import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    /// Makes blocks of a chunk a hole.
    func punch(_ message: PunchChunkRequest, _ responder: any Responder) {
        guard message.isWellFormed else { return responder.reply(.badRequest) }
        let verdict = admission.admitWrite(
            epoch: message.epoch, session: message.session, generation: message.generation, chunk: message.chunk)
        guard case .admit(let partition) = verdict else {
            return postpone(verdict, chunk: message.chunk, responder: responder) { [self] in
                punch(message, responder)
            }
        }
        written.record(message.chunk, by: message.session)
        usage.writes += 1
        threads.submit(message.chunk) { [self] store in
            do throws(ChunkStoreError) {
                let allocated = try store.punch(
                    message.chunk, in: partition, offset: Int(message.offset), length: Int(message.length),
                    version: message.version, sequence: message.sequence)
                responder.reply(ChunkSpaceReply(allocatedBlocks: UInt32(allocated)))
            } catch {
                noteFailure(error)
                responder.reply(error.status)
            }
        }
    }
}

extension PunchChunkRequest {
    /// Whole blocks, within the largest chunk.
    package var isWellFormed: Bool {
        let block = UInt32(Geometry.blockBytes)
        return offset % block == 0 && length % block == 0 && length > 0
            && Int(offset) + Int(length) <= 1 << Int(Geometry.chunkBytesLog2Range.upperBound)
    }
}
