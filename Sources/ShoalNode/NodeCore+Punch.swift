import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    /// Makes blocks of a chunk a hole.
    func punch(_ message: PunchChunkRequest, _ responder: any Responder) {
        guard message.isWellFormed else { return responder.reply(.badRequest) }
        guard let partition = admit(message, responder, again: { [self] in punch(message, responder) }) else { return }
        threads.submit(message.chunk) { [self] store in
            answer(responder, message.chunk) { () throws(ChunkStoreError) in
                try store.punch(
                    message.chunk, in: partition, offset: Int(message.offset), length: Int(message.length),
                    version: message.version, sequence: message.sequence)
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
