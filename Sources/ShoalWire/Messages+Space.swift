import ShoalTypes

/// The reply to a change of a chunk: how many of its blocks take space after it. A total, not a difference: a retried
/// request brings the same answer.
package struct ChunkSpaceReply: WireMessage, Equatable {
    package var allocatedBlocks: UInt32 = 0
    package init() {}
    package init(allocatedBlocks: UInt32) { self.allocatedBlocks = allocatedBlocks }
    package mutating func code(_ coder: inout WireCoder) { coder.integer(&allocatedBlocks) }
}

/// Make blocks of a chunk a hole: they read as zeros, and their space comes back. Reply: `ChunkSpaceReply`.
package struct PunchChunkRequest: ChunkChangeRequest, Equatable {
    package var epoch = Epoch(0)
    package var session = SessionID.none
    package var generation = ConnectionGeneration(0)
    package var sequence = LeaseSequence.none
    package var chunk = ChunkID(data: .none, index: 0)
    /// Multiples of the block size; `length` is not 0, and their sum within the largest chunk.
    package var offset: UInt32 = 0
    package var length: UInt32 = 0
    package var version: UInt64 = 0
    package init() {}
    package var changedBlocks: Range<Int> {
        Int(offset) / Geometry.blockBytes..<(Int(offset) + Int(length)) / Geometry.blockBytes
    }
    package mutating func code(_ coder: inout WireCoder) {
        codeAdmission(&coder)
        coder.integer(&offset)
        coder.integer(&length)
        coder.integer(&version)
    }
}

/// Make `chunk` equal to `source`, a chunk of a file of the same chunk size, holes and all: the node reads it from an
/// in-sync replica. The client holds a read lease on the source's file, and has flushed it. Admitted like a write;
/// reply: `ChunkSpaceReply`.
package struct CopyChunkRequest: ChunkChangeRequest, Equatable {
    package var epoch = Epoch(0)
    package var session = SessionID.none
    package var generation = ConnectionGeneration(0)
    package var sequence = LeaseSequence.none
    package var chunk = ChunkID(data: .none, index: 0)
    package var source = ChunkID(data: .none, index: 0)
    package var version: UInt64 = 0
    package var chunkBytesLog2: UInt8 = Geometry.chunkBytesLog2Default
    package init() {}
    package var changedBlocks: Range<Int> { 0..<Int.max }
    package mutating func code(_ coder: inout WireCoder) {
        codeAdmission(&coder)
        coder.chunk(&source)
        coder.integer(&version)
        coder.integer(&chunkBytesLog2)
        if !Geometry.chunkBytesLog2Range.contains(chunkBytesLog2) { coder.fail() }
    }
}

/// Where does a chunk have data? Admitted like a read. Reply: `ChunkLayoutReply`.
package struct ChunkLayoutRequest: WireMessage, Equatable {
    package var epoch = Epoch(0)
    package var chunk = ChunkID(data: .none, index: 0)
    package init() {}
    package init(epoch: Epoch, chunk: ChunkID) {
        self.epoch = epoch
        self.chunk = chunk
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&epoch)
        coder.chunk(&chunk)
    }
}

/// A chunk's blocks; what is past `blockCount` is a hole, and a chunk that does not exist has none.
package struct ChunkLayoutReply: WireMessage, Equatable {
    package static let wordsMax = (1 << Int(Geometry.chunkBytesLog2Range.upperBound)) / Geometry.blockBytes / 64
    package var blockCount: UInt32 = 0
    /// Blocks below `blockCount` that are holes, 64 to a word, the lowest bit the first. Words at the end may be missing.
    package var holes: [UInt64] = []
    package init() {}
    package init(blockCount: UInt32, holes: [UInt64]) {
        self.blockCount = blockCount
        self.holes = holes
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&blockCount)
        coder.list(&holes, max: Self.wordsMax, minimumBytes: 8, blank: 0) { $0.integer(&$1) }
        if blockCount > Self.wordsMax * 64 { coder.fail() }
    }
    package func isData(_ block: Int) -> Bool {
        block < blockCount && !(block / 64 < holes.count && holes[block / 64] >> UInt64(block % 64) & 1 != 0)
    }
    package var allocatedBlocks: UInt32 {
        blockCount - min(blockCount, UInt32(holes.reduce(0) { $0 + $1.nonzeroBitCount }))
    }
}

/// Which chunks of a data ID exist, with an index in `from ..< to`? The node answers for the partitions of which it is
/// an in-sync replica in the map of exactly this epoch; with another it answers `.staleEpoch`. Reply:
/// `ListChunksReply`.
package struct ListChunksRequest: WireMessage, Equatable {
    package var epoch = Epoch(0)
    package var data = DataID.none
    package var from: UInt32 = 0
    package var to: UInt32 = 0
    package init() {}
    package init(epoch: Epoch, data: DataID, from: UInt32, to: UInt32) {
        self.epoch = epoch
        self.data = data
        self.from = from
        self.to = to
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&epoch)
        coder.number(&data)
        coder.integer(&from)
        coder.integer(&to)
    }
}

/// Chunks, ascending.
package struct ListChunksReply: WireMessage, Equatable {
    package static let entriesMax = 8192
    package struct Entry: Hashable, Sendable {
        package var index: UInt32
        package var allocatedBlocks: UInt32
        package init(index: UInt32, allocatedBlocks: UInt32) {
            self.index = index
            self.allocatedBlocks = allocatedBlocks
        }
    }
    package var entries: [Entry] = []
    /// All chunks below this index are here; nil: all that were asked for.
    package var next: UInt32?
    package init() {}
    package init(entries: [Entry], next: UInt32?) {
        self.entries = entries
        self.next = next
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.list(
            &entries, max: Self.entriesMax, minimumBytes: 8, blank: Entry(index: 0, allocatedBlocks: 0)
        ) { coder, entry in
            coder.integer(&entry.index)
            coder.integer(&entry.allocatedBlocks)
        }
        coder.optional(&next, blank: 0) { $0.integer(&$1) }
    }
}
