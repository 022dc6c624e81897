import Logging
import ShoalClient
import ShoalTypes
import ShoalWire

/// A mount: the production core of the client, without a kernel.
package final class SimulatedMount {
    package let name: String
    package let process: SimulatedProcess
    package let network: MemoryNetwork
    package let client: Client
    private let board: Switchboard

    /// - Parameter name: No other mount had it before.
    package init(name: String, board: Switchboard, limits: ClientLimits, clockOffset: Interval, logLevel: Logger.Level)
    {
        self.name = name
        self.board = board
        process = SimulatedProcess(name: name, clock: board.scheduler, clockOffset: clockOffset)
        network = MemoryNetwork(board: board, owner: name, process: process)
        var logger = Logger(label: name)
        logger.logLevel = logLevel
        client = Client(
            metadataAddress: SimulatedMetadata.address, role: .client, label: name, network: network,
            scheduler: process,
            limits: limits, seed: board.random.next(), logger: logger)
    }

    /// Cut off from `addresses` for a time.
    package func isolate(from addresses: Set<String>, for pause: Interval) {
        network.unreachable = addresses
        board.scheduler.schedule(after: pause) { [self] in network.unreachable = [] }
    }

    package func kill() {
        process.end()
        board.cutAll(of: name)
    }
}
