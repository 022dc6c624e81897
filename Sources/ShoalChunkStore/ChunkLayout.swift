import ShoalTypes

/// Where a chunk has data.
package struct ChunkLayout: Hashable, Sendable {
    /// The chunk's length in blocks; past it everything is a hole.
    package var blockCount: Int
    package var holes: HoleMap

    package var allocatedBlocks: Int { blockCount - holes.count }
}

/// A part of a file's chunks, ascending.
package struct ChunkList: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package var index: UInt32
        package var allocatedBlocks: UInt32
    }
    package var entries: [Entry] = []
    /// Chunks below this index are all listed; nil if every one is.
    package var next: UInt32?
}
