import Logging
import ShoalChunkStore
import ShoalKeyValue
import ShoalNode
import ShoalRPC
import ShoalTestSupport
import ShoalTypes

/// A storage node: the production core and chunk store on a disk in memory. What `NodeService` is in production.
package final class SimulatedNode {
    package let address: String
    private let board: Switchboard
    private let disk = SimulatedDisk(sectorBytes: 4096)
    private let index = SimulatedIndex()
    private let clockOffset: Interval
    private let logLevel: Logger.Level
    /// On the disk, once it has been saved.
    private var identity: NodeIdentity?
    package private(set) var process: SimulatedProcess
    private var core: NodeCore?
    /// Told why it does not start.
    private let onFailure: (String) -> Void

    package init(
        address: String, board: Switchboard, clockOffset: Interval = Interval(nanoseconds: 0),
        logLevel: Logger.Level = .critical, onFailure: @escaping (String) -> Void
    ) {
        self.address = address
        self.board = board
        self.clockOffset = clockOffset
        self.logLevel = logLevel
        self.onFailure = onFailure
        process = SimulatedProcess(name: address, clock: board.scheduler, clockOffset: clockOffset)
        start()
    }

    package var isUp: Bool { board.listeners[address] != nil && !process.isStopped }

    private func start() {
        do {
            let store = try ChunkStore.open(
                directory: "/store", limits: .simulation, disk: disk,
                openIndex: { [index] (_) throws(KeyValueError) in try index.open() })
            let (process, board) = (process, board)
            let threads = ChunkThreads(store: store) {
                VirtualWorkQueue(process: process) {
                    .microseconds(Int64.random(in: 5...400, using: &board.random))
                }
            }
            var configuration = NodeCore.Configuration(
                address: address, metadataAddress: SimulatedMetadata.address, zone: "", weight: 1, directory: "/store")
            configuration.identity = identity
            configuration.usage.note(try store.usage())
            var logger = Logger(label: address)
            logger.logLevel = logLevel
            let core = NodeCore(
                configuration: configuration, scheduler: process,
                network: MemoryNetwork(board: board, owner: address, process: process), threads: threads,
                post: { body in process.schedule(after: Interval(nanoseconds: 0), body) }, logger: logger)
            core.closeInbound = { ($0 as? MemoryPeer)?.link?.cut() }
            let saved = Saved(node: self)
            core.saveIdentity = { saved.node?.identity = $0 }
            self.core = core
            board.listeners[address] = core
            board.processes[address] = process
            core.start()
        } catch { onFailure("node \(address) does not start: \(error)") }
    }

    // @unchecked Sendable: a simulation is one thread.
    private final class Saved: @unchecked Sendable {
        weak var node: SimulatedNode?
        init(node: SimulatedNode) { self.node = node }
    }

    package func end() {
        process.end()
        core = nil
    }

    /// Kill -9, and a new start over the same disk after `pause`.
    package func restart(after pause: Interval) throws { try restart(after: pause) { try disk.killProcess() } }

    /// The machine loses power, and starts again after `pause`. Of what was not synced, each sector, length and name is there
    /// or not.
    package func losePower(for pause: Interval, using random: inout SeededGenerator) throws {
        try restart(after: pause) {
            try disk.losePower(keep: 0.5, using: &random)
            index.losePower(keep: 0.5, using: &random)
        }
    }

    private func restart(after pause: Interval, _ damage: () throws -> Void) throws {
        process.end()
        core = nil
        board.listeners[address] = nil
        board.cut(address)
        board.cutAll(of: address)
        try damage()
        process = SimulatedProcess(name: address, clock: board.scheduler, clockOffset: clockOffset)
        process.schedule(after: pause) { [self] in start() }
    }
}
