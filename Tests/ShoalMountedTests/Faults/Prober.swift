import Dispatch
import Glibc
import Synchronization
import ShoalTestSupport

/// Writes and fsyncs 4 KiB again and again, and notes the longest time that one took.
final class Prober: Sendable {
    private struct State {
        var isStopping = false
        var longest = 0.0
        var failure: SystemCallError?
    }
    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    init(path: String) {
        spawnThread { [self] in
            while !state.withLock({ $0.isStopping || $0.failure != nil }) {
                let start = Clock.seconds
                do {
                    try Files.write([UInt8](repeating: 7, count: 4096), to: path)
                } catch {
                    state.withLock { $0.failure = error as? SystemCallError ?? SystemCallError("probe", EIO) }
                }
                let seconds = Clock.seconds - start
                state.withLock { $0.longest = max($0.longest, seconds) }
            }
            ended.signal()
        }
    }

    /// - Returns: the longest write and fsync, in seconds.
    func stop() throws -> Double {
        state.withLock { $0.isStopping = true }
        ended.wait()
        return try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.longest
        }
    }
}
