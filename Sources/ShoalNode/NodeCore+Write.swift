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
        guard let partition = admit(message, responder, again: { [self] in write(message, payload, responder) }) else {
            return
        }
        usage.bytesWritten += UInt64(payload.byteCount)
        threads.submit(message.chunk) { [self] store in
            let mismatch = CRC32C.firstMismatch(
                in: payload.bytes, blockBytes: Geometry.blockBytes, checksums: message.checksums)
            guard mismatch == nil else { return responder.reply(.badChecksum) }
            answer(responder, message.chunk) { () throws(ChunkStoreError) in
                try store.write(
                    message.chunk, in: partition, chunkBytesLog2: message.chunkBytesLog2, offset: Int(message.offset),
                    bytes: payload.bytes, checksums: message.checksums, version: message.version,
                    sequence: message.sequence)
            }
        }
    }

    func truncate(_ message: TruncateChunkRequest, _ responder: any Responder) {
        guard message.length % UInt32(Geometry.blockBytes) == 0 else { return responder.reply(.badRequest) }
        guard let partition = admit(message, responder, again: { [self] in truncate(message, responder) }) else {
            return
        }
        threads.submit(message.chunk) { [self] store in
            answer(responder, message.chunk) { () throws(ChunkStoreError) in
                try store.truncate(
                    message.chunk, in: partition, length: Int(message.length), version: message.version,
                    sequence: message.sequence)
            }
        }
    }

    /// Where the chunk of an admitted change lies; the change counts from here on. Nil if it was refused, or waits to
    /// be tried `again`.
    func admit(
        _ message: some ChunkChangeRequest, _ responder: any Responder, again: @escaping () -> Void
    ) -> PartitionID? {
        let verdict = self.verdict(on: message)
        guard case .admit(let partition) = verdict else {
            postpone(verdict, chunk: message.chunk, responder: responder, retry: again)
            return nil
        }
        written.record(message.chunk, by: message.session, message.sequence, message.changedBlocks)
        usage.writes += 1
        return partition
    }

    /// What the rules for writes say of it now.
    func verdict(on message: some ChunkChangeRequest) -> Admission.Verdict {
        admission.admitWrite(
            epoch: message.epoch, session: message.session, generation: message.generation, chunk: message.chunk)
    }

    /// With the blocks that the chunk takes after the change. On the chunk's thread.
    func answer(_ responder: any Responder, _ chunk: ChunkID, _ change: () throws(ChunkStoreError) -> Int) {
        do throws(ChunkStoreError) {
            responder.reply(ChunkSpaceReply(allocatedBlocks: UInt32(try change())))
        } catch {
            noteFailure(error)
            switch error {
            case .staleSequence: break  // Of an older lease: what is known of the newer one's stays true.
            default: post { [self] in written.forgetBlocks(of: chunk) }
            }
            responder.reply(error.status)
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
