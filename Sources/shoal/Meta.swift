import ArgumentParser
import Logging
import ShoalMetadataServer
import ShoalTransport

struct Meta: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a metadata server.",
        discussion: """
            Keeps names, leases and the cluster map in --dir. A directory that is empty or missing becomes a new cluster. Runs until \
            SIGTERM or SIGINT, which stop it in order; a second one stops it at once.

            EXAMPLES
              shoal meta --dir /srv/shoal/meta --listen 127.0.0.1:7600
              shoal meta --dir /srv/shoal/meta --listen 127.0.0.1:7600 --sync every
            """)

    @Option(name: .customLong("dir"), help: ArgumentHelp("The server's data directory.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("Where it listens.", valueName: "host:port"))
    var listen: HostPort

    @Option(help: "Replicas of each chunk; fixed when the cluster is made.")
    var replicas = 2

    @Option(help: "Hash partitions; fixed when the cluster is made.")
    var partitions = 1024

    @Option(
        help:
            "When a change of names survives a loss of power: after fsync, as on a local disk, or before every answer.")
    var sync = MetadataOptions.Durability.fsync

    @OptionGroup var ready: ReadyOptions
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...8).contains(replicas) else { throw ValidationError("--replicas is 1 to 8, not \(replicas)") }
        guard (1...65_535).contains(partitions) else {
            throw ValidationError("--partitions is 1 to 65535, not \(partitions)")
        }
    }

    func run() throws {
        let signals = TerminationSignals()
        let logger = logging.start("meta", default: .info)
        var started: MetadataService?
        try ready.reporting {
            var options = MetadataOptions()
            options.replicas = replicas
            options.partitions = partitions
            options.durability = sync
            let service = try MetadataService(directory: directory, listen: listen, options: options, logger: logger) {
                error in
                // No promise can be kept any more: what was acknowledged is in the log, nothing else may be.
                logger.critical("stopping: \(error)")
                Failure.complain("\(error)")
                Failure.endAtOnce()
            }
            started = service
            return "\(service.address)"
        }
        guard let service = started else { preconditionFailure("it was started, or an error thrown") }
        logger.info("serving", metadata: ["address": "\(service.address)", "directory": "\(directory)"])
        signals.waitAndExit(logger) {
            do throws(MetadataServerError) { try service.stop() } catch { Failure.exit(with: error) }
        }
    }
}

extension MetadataOptions.Durability: ExpressibleByArgument {}
