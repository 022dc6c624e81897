import ShoalTypes

/// What the store knows of a chunk without reading its bytes.
package struct ChunkRecord: Hashable, Sendable {
    package var chunk: ChunkID
    package var version: UInt64
    package var sequence: LeaseSequence
    /// Bytes, a multiple of the block size, never 0.
    package var length: Int
    /// CRC-32C over the block checksums, little-endian, in order. Equal version and checksum: equal replicas.
    package var checksum: UInt32
    package var chunkBytesLog2: UInt8
}

package struct ChunkStoreUsage: Hashable, Sendable {
    package var bytesTotal: UInt64
    /// What clients may still write: free bytes less the reserve.
    package var bytesFree: UInt64
    package var chunks: UInt64
}

/// What a store reports besides results, for the log.
package enum ChunkStoreEvent: Sendable, CustomStringConvertible {
    /// A start after an unclean end: marked chunks examined, torn unsynced blocks resealed, leftover files removed,
    /// chunks dropped that were never synced.
    case recovered(chunks: Int, resealedBlocks: Int, removedFiles: Int, droppedChunks: Int)
    /// The index names a file that the disk lacks.
    case missingFile(ChunkID)
    /// From now on every write and sync fails.
    case failed(ChunkStoreError)

    package var description: String {
        switch self {
        case .recovered(let chunks, let resealed, let removed, let dropped):
            "recovered after an unclean end: \(chunks) chunks examined, \(resealed) torn blocks resealed, "
                + "\(removed) leftover files removed, \(dropped) never-synced chunks dropped"
        case .missingFile(let chunk): "the file of chunk \(chunk) is missing"
        case .failed(let error): "the disk failed, no more writes: \(error)"
        }
    }
}
