import Glibc
import ShoalTypes

/// Why the chunk store refused or failed.
package enum ChunkStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The disk is full up to the reserve, or altogether.
    case noSpace
    /// What the index says of this chunk and what the disk holds do not agree.
    case corrupt(ChunkID, detail: String)
    /// The chunk has already been written under this higher lease sequence.
    case staleSequence(LeaseSequence)
    /// The range is not whole blocks inside the chunk, or the checksums do not fit it.
    case badRange
    /// The operation needs a chunk that exists.
    case noChunk
    /// The disk failed. Once a write or a sync has failed so, all later ones do.
    case inputOutput(errno: CInt, detail: String)
    /// The directory is in use by another process.
    case locked(String)
    /// The directory is not a chunk store of a version that this program knows.
    case badFormat(String)

    package var description: String {
        switch self {
        case .noSpace: "no space left on the disk"
        case .corrupt(let chunk, let detail): "chunk \(chunk) is corrupt: \(detail)"
        case .staleSequence(let sequence): "written already under lease \(sequence)"
        case .badRange: "not whole blocks of the chunk, with a checksum each"
        case .noChunk: "there is no such chunk"
        case .inputOutput(let errno, let detail): "\(String(cString: strerror(errno))): \(detail)"
        case .locked(let detail): "in use by another process (\(detail))"
        case .badFormat(let detail): detail
        }
    }
}
