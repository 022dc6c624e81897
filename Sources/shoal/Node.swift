import ArgumentParser
import Logging
import ShoalNode
import ShoalTransport

struct Node: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a storage node.",
        discussion: """
            Keeps chunks in --dir, which is made if it is missing and belongs to one cluster from then on. Runs until SIGTERM or \
            SIGINT, which stop it in order; a second one stops it at once.

            EXAMPLES
              shoal node --dir /srv/shoal/node1 --listen 127.0.0.1:7601 --meta 127.0.0.1:7600
              shoal node --dir /srv/shoal/node2 --listen 127.0.0.1:7602 --meta 127.0.0.1:7600 --zone rack2 --weight 4
            """)

    @Option(name: .customLong("dir"), help: ArgumentHelp("The node's data directory.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("Where it listens.", valueName: "host:port"))
    var listen: HostPort

    @Option(help: ArgumentHelp("The metadata server.", valueName: "host:port"))
    var meta: HostPort

    @Option(help: "Failure zone: replicas go to distinct zones while there are enough.")
    var zone: String?

    @Option(help: "Share of the data relative to other nodes.")
    var weight = 1.0

    @OptionGroup var ready: ReadyOptions
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard weight >= 0, weight.isFinite else { throw ValidationError("--weight is a number from 0, not \(weight)") }
        guard (zone ?? "").utf8.count <= 255 else { throw ValidationError("--zone is at most 255 bytes") }
    }

    func run() throws {
        let signals = TerminationSignals()
        let logger = logging.start("node", default: .info)
        var started: NodeService?
        try ready.reporting {
            let service = try NodeService(
                directory: directory, listen: listen, metadata: meta, zone: zone ?? "", weight: weight, logger: logger)
            try service.start()
            started = service
            return "\(service.address)"
        }
        guard let service = started else { preconditionFailure("it was started, or an error thrown") }
        logger.info("serving", metadata: ["address": "\(service.address)", "directory": "\(directory)"])
        signals.waitAndExit(logger) {
            do throws(NodeError) { try service.stop() } catch { Failure.exit(with: error) }
        }
    }
}
