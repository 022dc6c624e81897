import ShoalNode
import ShoalTypes

/// What a thread of a node does, in virtual time: one piece of work after the other, each after the time that the disk takes.
// @unchecked Sendable: a simulation is one thread.
final class VirtualWorkQueue: WorkQueue, @unchecked Sendable {
    private let process: SimulatedProcess
    private let drawDelay: () -> Interval
    private var due = MonotonicInstant(0)
    private var isClosed = false

    init(process: SimulatedProcess, drawDelay: @escaping () -> Interval) {
        self.process = process
        self.drawDelay = drawDelay
    }

    func submit(_ work: @escaping Work) {
        guard !isClosed else { return }
        due = max(due, process.now + drawDelay())
        process.schedule(after: due - process.now, work)
    }

    /// Nothing calls this: a simulated node is killed.
    func close() { isClosed = true }
}
