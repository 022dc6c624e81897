import Dispatch
import Glibc
import Synchronization

/// Finds out on which processors threads run, on a thread of its own: the kernel may hold a reader of /proc/PID/stat up
/// until the process has ended its execve(2), which may be waiting for the very loop that wants to know.
final class ProcessorSampler: Sendable {
    private struct State {
        var isReading = false
        var found: [Int?] = []
    }
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "processor-samples")

    /// Returns what was found of the threads given before, if anything by now, and goes on with `threads`.
    func exchange(_ threads: [pid_t]) -> [Int?] {
        let (found, isFree) = state.withLock { state in
            let answer = (state.found, !state.isReading)
            state.found = []
            if !state.isReading { state.isReading = !threads.isEmpty }
            return answer
        }
        if isFree, !threads.isEmpty {
            queue.async { [self] in
                let found = threads.map(ProcessorSet.processor(ofThread:))
                state.withLock { $0 = State(isReading: false, found: found) }
            }
        }
        return found
    }
}
