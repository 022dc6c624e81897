import ShoalTypes

/// Read `length` bytes of a chunk. Reply: `ReadChunkReply`, with the bytes as payload.
package struct ReadChunkRequest: WireMessage, Equatable {
    package var epoch = Epoch(0)
    package var chunk = ChunkID(data: .none, index: 0)
    /// A multiple of `Geometry.blockBytes`, as is `length`; `length` is 1 block ... `Geometry.requestBytesMax`.
    package var offset: UInt32 = 0
    package var length: UInt32 = 0
    /// A node that copies a replica: answered by an in-sync replica also while the chunk waits to be reconciled.
    package var isResync = false
    package init() {}
    package init(epoch: Epoch, chunk: ChunkID, offset: UInt32, length: UInt32, isResync: Bool = false) {
        self.epoch = epoch
        self.chunk = chunk
        self.offset = offset
        self.length = length
        self.isResync = isResync
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&epoch)
        coder.chunk(&chunk)
        coder.integer(&offset)
        coder.integer(&length)
        coder.boolean(&isResync)
    }
}

/// The payload is the first `checksums.count` blocks of the range asked for; what is missing from it, up to all of it,
/// is a hole and reads as zeros. Checksums are those stored with the data: the node does not verify them, the reader
/// does.
package struct ReadChunkReply: WireMessage, Equatable {
    package var checksums: [UInt32] = []
    /// Only for `isResync`: which of these blocks are holes, 64 to a word, the lowest bit the first. Empty: none.
    package var holes: [UInt64] = []
    package init() {}
    package init(checksums: [UInt32], holes: [UInt64] = []) {
        self.checksums = checksums
        self.holes = holes
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.checksums(&checksums)
        coder.list(&holes, max: Geometry.requestBytesMax / Geometry.blockBytes / 64, minimumBytes: 8, blank: 0) {
            $0.integer(&$1)
        }
    }
    /// Whether block `index` of the reply is a hole.
    package func isHole(_ index: Int) -> Bool {
        index / 64 < holes.count && holes[index / 64] >> UInt64(index % 64) & 1 != 0
    }
}

extension WireCoder {
    mutating func checksums(_ value: inout [UInt32]) {
        list(&value, max: Geometry.requestBytesMax / Geometry.blockBytes, minimumBytes: 4, blank: 0) { $0.integer(&$1) }
    }
}

/// Write the payload, whole blocks, at `offset` of a chunk. Refused as section 5 of the design says. Reply:
/// `ChunkSpaceReply`.
package struct WriteChunkRequest: ChunkChangeRequest, Equatable {
    package var epoch = Epoch(0)
    package var session = SessionID.none
    package var generation = ConnectionGeneration(0)
    package var sequence = LeaseSequence.none
    package var chunk = ChunkID(data: .none, index: 0)
    /// A multiple of `Geometry.blockBytes`; so is the payload's length.
    package var offset: UInt32 = 0
    /// Orders the writes of a chunk: higher than every write to this chunk before it. Replicas with equal versions and
    /// equal checksums are equal.
    package var version: UInt64 = 0
    /// Size of a chunk of this file, as a power of two: bounds `offset`.
    package var chunkBytesLog2: UInt8 = Geometry.chunkBytesLog2Default
    /// One per block of the payload.
    package var checksums: [UInt32] = []
    package init() {}
    package var changedBlocks: Range<Int> {
        let first = Int(offset) / Geometry.blockBytes
        return first..<first + checksums.count
    }
    package mutating func code(_ coder: inout WireCoder) {
        codeAdmission(&coder)
        coder.integer(&offset)
        coder.integer(&version)
        coder.integer(&chunkBytesLog2)
        coder.checksums(&checksums)
    }
}

/// Cut a chunk to `length` bytes, a multiple of the block size; 0 removes it. Later reads past it find a hole. Reply:
/// `ChunkSpaceReply`.
package struct TruncateChunkRequest: ChunkChangeRequest, Equatable {
    package var epoch = Epoch(0)
    package var session = SessionID.none
    package var generation = ConnectionGeneration(0)
    package var sequence = LeaseSequence.none
    package var chunk = ChunkID(data: .none, index: 0)
    package var length: UInt32 = 0
    package var version: UInt64 = 0
    package init() {}
    package var changedBlocks: Range<Int> { Int(length) / Geometry.blockBytes..<Int.max }
    package mutating func code(_ coder: inout WireCoder) {
        codeAdmission(&coder)
        coder.integer(&length)
        coder.integer(&version)
    }
}

/// A list of chunks: syncChunks (answered when they are on the disk for good), statChunks, deleteChunks,
/// reconcileChunks.
package struct ChunkListRequest: WireMessage, Equatable {
    package static let chunksMax = 4096
    package var epoch = Epoch(0)
    package var chunks: [ChunkID] = []
    package init() {}
    package init(epoch: Epoch, chunks: [ChunkID]) {
        self.epoch = epoch
        self.chunks = chunks
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&epoch)
        coder.list(&chunks, max: Self.chunksMax, minimumBytes: 12, blank: ChunkID(data: .none, index: 0)) {
            $0.chunk(&$1)
        }
    }
}

/// A chunk as a node has it.
package struct ChunkDigest: Hashable, Sendable {
    package var chunk: ChunkID
    package var version: UInt64
    package var sequence: LeaseSequence
    /// Bytes, a multiple of the block size.
    package var length: UInt32
    /// CRC-32C over the chunk's block checksums, little-endian, in order.
    package var checksum: UInt32
    /// Size of a chunk of this file, as a power of two.
    package var chunkBytesLog2: UInt8
    package init(
        chunk: ChunkID, version: UInt64, sequence: LeaseSequence, length: UInt32, checksum: UInt32,
        chunkBytesLog2: UInt8 = Geometry.chunkBytesLog2Default
    ) {
        self.chunk = chunk
        self.version = version
        self.sequence = sequence
        self.length = length
        self.checksum = checksum
        self.chunkBytesLog2 = chunkBytesLog2
    }
    package static let blank = ChunkDigest(
        chunk: ChunkID(data: .none, index: 0), version: 0, sequence: .none, length: 0, checksum: 0)
}

/// The reply to statChunks (the chunks that exist, in the order asked) and partitionDigest (ascending).
package struct ChunkDigestReply: WireMessage, Equatable {
    package static let chunksMax = 8192
    package var digests: [ChunkDigest] = []
    /// Of partitionDigest: the partition has no more chunks after the last one here.
    package var isEnd = true
    package init() {}
    package init(digests: [ChunkDigest], isEnd: Bool = true) {
        self.digests = digests
        self.isEnd = isEnd
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.list(&digests, max: Self.chunksMax, minimumBytes: 37, blank: ChunkDigest.blank) { coder, digest in
            coder.chunk(&digest.chunk)
            coder.integer(&digest.version)
            coder.number(&digest.sequence)
            coder.integer(&digest.length)
            coder.integer(&digest.checksum)
            coder.integer(&digest.chunkBytesLog2)
        }
        coder.boolean(&isEnd)
    }
}

/// The chunks of a partition, from the one after `after` (nil: from the start). Answered after every write that the
/// node admitted under an older epoch has been applied.
package struct PartitionDigestRequest: WireMessage, Equatable {
    package var epoch = Epoch(0)
    package var partition = PartitionID(0)
    package var after: ChunkID?
    package init() {}
    package init(epoch: Epoch, partition: PartitionID, after: ChunkID?) {
        self.epoch = epoch
        self.partition = partition
        self.after = after
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&epoch)
        coder.number(&partition)
        coder.optional(&after, blank: ChunkID(data: .none, index: 0)) { $0.chunk(&$1) }
    }
}

extension ChunkListRequest {
    /// As a chunk's index in `syncChunks`: every chunk of that data ID that the node has not synced; in `deleteChunks`:
    /// every chunk of that data ID that the node has, in any partition.
    package static let everyIndex = UInt32.max
}
