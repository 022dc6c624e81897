import ShoalRPC
import ShoalSimulation
import ShoalTypes
import ShoalWire

/// The operations about the space that chunks take.
extension NodeTwin {
    func space(of chunk: ChunkID) -> ChunkSpaceReply {
        ChunkSpaceReply(allocatedBlocks: UInt32(chunks[chunk]?.blocks.count ?? 0))
    }

    func space(_ request: Request, _ responder: any Responder) {
        switch request.operation {
        case .punchChunk:
            guard case .success(let message) = decode(request, as: PunchChunkRequest.self) else { break }
            return admit { [self] in punch(message, responder) }
        case .copyChunk:
            guard case .success(let message) = decode(request, as: CopyChunkRequest.self) else { break }
            copyCount += 1
            return admit { [self] in copy(message, responder) }
        case .chunkLayout:
            guard case .success(let message) = decode(request, as: ChunkLayoutRequest.self) else { break }
            return admit { [self] in layout(message, responder) }
        case .listChunks:
            guard case .success(let message) = decode(request, as: ListChunksRequest.self) else { break }
            return admit { [self] in list(message, responder) }
        default: break
        }
        responder.reply(.badRequest)
    }

    private func punch(_ message: PunchChunkRequest, _ responder: any Responder) {
        let again = { [self] in punch(message, responder) }
        guard !refuses(message.epoch, message.session, message.generation, message.chunk, responder, again: again)
        else {
            return
        }
        if var chunk = chunks[message.chunk] {
            guard message.sequence >= chunk.sequence else { return responder.reply(.staleLease) }
            chunk.sequence = message.sequence
            let first = Int(message.offset) / Geometry.blockBytes
            for block in first..<first + Int(message.length) / Geometry.blockBytes { chunk.blocks[block] = nil }
            chunks[message.chunk] = chunk.blocks.isEmpty ? nil : chunk
        }
        responder.reply(space(of: message.chunk))
    }

    private func copy(_ message: CopyChunkRequest, _ responder: any Responder) {
        let again = { [self] in copy(message, responder) }
        guard !refuses(message.epoch, message.session, message.generation, message.chunk, responder, again: again)
        else {
            return
        }
        let sources = map[map.partition(of: message.source)].inSync.compactMap { source($0) }
        guard let twin = sources.first(where: { board.listeners[$0.address] != nil }) else {
            return responder.reply(.notReady)
        }
        if let old = chunks[message.chunk], message.sequence < old.sequence { return responder.reply(.staleLease) }
        var chunk = twin.chunks[message.source]
        chunk?.sequence = message.sequence
        chunks[message.chunk] = chunk
        responder.reply(space(of: message.chunk))
    }

    private func layout(_ message: ChunkLayoutRequest, _ responder: any Responder) {
        guard message.epoch <= map.epoch else { return fetchMap(responder) { [self] in layout(message, responder) } }
        let partition = map.partition(of: message.chunk)
        guard message.epoch >= map[partition].changedAt else { return responder.reply(.staleEpoch) }
        guard map[partition].state(of: id) == .inSync else { return responder.reply(.notReplica) }
        let blocks = chunks[message.chunk]?.blocks ?? [:]
        let count = (blocks.keys.max() ?? -1) + 1
        var holes = [UInt64](repeating: 0, count: (count + 63) / 64)
        for block in 0..<count where blocks[block] == nil { holes[block / 64] |= 1 << UInt64(block % 64) }
        responder.reply(ChunkLayoutReply(blockCount: UInt32(count), holes: holes))
    }

    private func list(_ message: ListChunksRequest, _ responder: any Responder) {
        guard message.epoch <= map.epoch else { return fetchMap(responder) { [self] in list(message, responder) } }
        guard message.epoch == map.epoch else { return responder.reply(.staleEpoch) }
        let mine = chunks.keys.filter { chunk in
            chunk.data == message.data && (message.from..<message.to).contains(chunk.index)
                && map[map.partition(of: chunk)].state(of: id) == .inSync
        }.sorted()
        // Pages of three, so that the client has to turn them.
        let entries = mine.prefix(3).map {
            ListChunksReply.Entry(index: $0.index, allocatedBlocks: space(of: $0).allocatedBlocks)
        }
        responder.reply(ListChunksReply(entries: Array(entries), next: mine.count > 3 ? mine[3].index : nil))
    }
}
