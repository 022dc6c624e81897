import Logging
import ShoalChecksum
import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

extension NodeCore {
    func write(_ request: Request, _ responder: any Responder) throws(WireError) {
        let message: WriteChunkRequest = try request.decode()
        guard message.isWellFormed(payloadBytes: request.payload.count) else { return responder.reply(.badRequest) }
        guard payloads.lentBytes + request.payload.count <= limits.queuedWriteBytesMax else {
            return responder.reply(.notReady)
        }
        write(message, payloads.copy(request.payload), responder)
    }

    private func write(_ message: WriteChunkRequest, _ payload: Payload, _ responder: any Responder) {
        let verdict = admission.admitWrite(
            epoch: message.epoch, session: message.session, generation: message.generation, chunk: message.chunk)
        guard case .admit(let partition) = verdict else {
            return postpone(verdict, chunk: message.chunk, responder: responder) { [self] in
                write(message, payload, responder)
            }
        }
        written.record(message.chunk, by: message.session)
        usage.writes += 1
        usage.bytesWritten += UInt64(payload.byteCount)
        threads.submit(message.chunk) { [self] store in
            let mismatch = CRC32C.firstMismatch(
                in: payload.bytes, blockBytes: Geometry.blockBytes, checksums: message.checksums)
            guard mismatch == nil else { return responder.reply(.badChecksum) }
            do throws(ChunkStoreError) {
                let allocated = try store.write(
                    message.chunk, in: partition, chunkBytesLog2: message.chunkBytesLog2, offset: Int(message.offset),
                    bytes: payload.bytes, checksums: message.checksums, version: message.version,
                    sequence: message.sequence)
                responder.reply(ChunkSpaceReply(allocatedBlocks: UInt32(allocated)))
            } catch {
                noteFailure(error)
                responder.reply(error.status)
            }
        }
    }

    func truncate(_ message: TruncateChunkRequest, _ responder: any Responder) {
        guard message.length % UInt32(Geometry.blockBytes) == 0 else { return responder.reply(.badRequest) }
        let verdict = admission.admitWrite(
            epoch: message.epoch, session: message.session, generation: message.generation, chunk: message.chunk)
        guard case .admit(let partition) = verdict else {
            return postpone(verdict, chunk: message.chunk, responder: responder) { [self] in
                truncate(message, responder)
            }
        }
        written.record(message.chunk, by: message.session)
        usage.writes += 1
        threads.submit(message.chunk) { [self] store in
            do throws(ChunkStoreError) {
                let allocated = try store.truncate(
                    message.chunk, in: partition, length: Int(message.length), version: message.version,
                    sequence: message.sequence)
                responder.reply(ChunkSpaceReply(allocatedBlocks: UInt32(allocated)))
            } catch {
                noteFailure(error)
                responder.reply(error.status)
            }
        }
    }

    /// After an error of the disk itself nothing on it can be promised any more: the node takes itself out. From any
    /// thread.
    func noteFailure(_ error: ChunkStoreError) {
        guard case .inputOutput = error else { return }
        post { [self] in
            guard !admission.isStoreBad else { return }
            admission.isStoreBad = true
            logger.error("the disk failed; this node accepts no more writes", metadata: ["error": "\(error)"])
            link.reportSelf()
        }
    }
}

extension WriteChunkRequest {
    /// Whole blocks with a checksum each, inside the chunk.
    package func isWellFormed(payloadBytes: Int) -> Bool {
        let block = Geometry.blockBytes
        return payloadBytes > 0 && payloadBytes % block == 0 && payloadBytes <= Geometry.requestBytesMax
            && Int(offset) % block == 0 && Geometry.chunkBytesLog2Range.contains(chunkBytesLog2)
            && Int(offset) + payloadBytes <= 1 << Int(chunkBytesLog2) && checksums.count == payloadBytes / block
    }
}
