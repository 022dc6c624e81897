import ShoalChunkStore
import ShoalTypes
import ShoalWire

extension ChunkStoreError {
    /// How a request that met this error is answered.
    var status: WireStatus {
        switch self {
        case .noSpace: .failed(.noSpace)
        case .corrupt: .badChecksum
        case .staleSequence: .staleLease
        case .badRange: .badRequest
        default: .failed(.inputOutput)
        }
    }
}
