import Synchronization

/// Remembers the first failure of the disk. After a failed sync nobody knows which bytes the disk has, and a second
/// sync would report a success that is none (the kernel drops the pages it could not write), so there is no way back
/// but a new start.
final class FailureLatch: Sendable {
    private let failure = Mutex<ChunkStoreError?>(nil)
    private let report: @Sendable (ChunkStoreEvent) -> Void

    init(report: @escaping @Sendable (ChunkStoreEvent) -> Void) { self.report = report }

    /// - Throws: the failure, if there was one.
    func check() throws(ChunkStoreError) {
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Latches `error` if it is the first, and returns the one that counts.
    func fail(_ error: ChunkStoreError) -> ChunkStoreError {
        let first = failure.withLock { failure -> ChunkStoreError? in
            if let failure { return failure }
            failure = error
            return nil
        }
        if first == nil { report(.failed(error)) }
        return first ?? error
    }
}
