import ShoalTypes
import ShoalWire

extension MessageSample {
    static let space = [
        MessageSample { ChunkSpaceReply(allocatedBlocks: $0.number()) },
        MessageSample(of: PunchChunkRequest.self) {
            $0.epoch = $1.id()
            $0.session = $1.id()
            $0.generation = $1.id()
            $0.sequence = $1.id()
            $0.chunk = $1.chunk()
            $0.offset = $1.number()
            $0.length = $1.number()
            $0.version = $1.number()
        },
        MessageSample(of: CopyChunkRequest.self) {
            $0.epoch = $1.id()
            $0.session = $1.id()
            $0.generation = $1.id()
            $0.sequence = $1.id()
            $0.chunk = $1.chunk()
            $0.source = $1.chunk()
            $0.version = $1.number()
            $0.chunkBytesLog2 = $1.log2()
        },
        MessageSample { ChunkLayoutRequest(epoch: $0.id(), chunk: $0.chunk()) },
        MessageSample {
            ChunkLayoutReply(
                blockCount: UInt32.random(in: 0...16_384, using: &$0), holes: $0.list(max: 256) { $0.number() })
        },
        MessageSample { ListChunksRequest(epoch: $0.id(), data: $0.id(), from: $0.number(), to: $0.number()) },
        MessageSample {
            ListChunksReply(
                entries: $0.list { ListChunksReply.Entry(index: $0.number(), allocatedBlocks: $0.number()) },
                next: $0.optional { $0.number() })
        },
    ]
}
