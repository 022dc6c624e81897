import Glibc
import ShoalKeyValue

extension DiskError {
    var isDiskFull: Bool { errno == ENOSPC || errno == EDQUOT }
}

extension ChunkStoreError {
    init(_ error: DiskError) { self = .inputOutput(errno: error.errno, detail: error.description) }

    /// An index that is full counts as failed: its engine takes no more writes until it is opened again.
    init(_ error: KeyValueError) {
        switch error {
        case .locked(let detail): self = .locked(detail)
        case .noSpace(let detail): self = .inputOutput(errno: ENOSPC, detail: detail)
        case .corrupt(let detail), .inputOutput(let detail): self = .inputOutput(errno: EIO, detail: detail)
        }
    }
}

/// A call of the disk that may find it full, or fail, without harm to what is there.
func diskCall<Result>(_ body: () throws(DiskError) -> Result) throws(ChunkStoreError) -> Result {
    do throws(DiskError) { return try body() } catch { throw error.isDiskFull ? .noSpace : ChunkStoreError(error) }
}
