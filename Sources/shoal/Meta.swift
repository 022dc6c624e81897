import ArgumentParser
import Logging
import ShoalMetadataServer
import ShoalPlacement
import ShoalTransport
import ShoalTypes

struct Meta: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a metadata server.",
        discussion: """
            Keeps names, attributes, leases and the cluster map in --dir; an empty or missing directory becomes that of a new cluster. \
            Runs until SIGTERM or SIGINT, which stop it in order; a second one stops it at once.

            EXAMPLES
              shoal meta --dir /srv/shoal/meta --listen 127.0.0.1:7600
              shoal meta --dir /srv/shoal/meta --listen 127.0.0.1:7600 --sync every
            """)

    enum Sync: String, ExpressibleByArgument, CaseIterable {
        case fsync
        case every
    }

    @Option(name: .customLong("dir"), help: ArgumentHelp("The server's directory.", valueName: "dir"))
    var directory: String

    @Option(help: ArgumentHelp("Where it listens.", valueName: "host:port"))
    var listen: HostPort

    @Option(help: "Replicas of each chunk in a new cluster.")
    var replicas: UInt8 = 2

    @Option(help: "Hash partitions of a new cluster.")
    var partitions = Geometry.partitionCountDefault

    @Option(help: "When changes reach the disk for good: with the next fsync of a client, or every one before it is answered.")
    var sync = Sync.fsync

    @OptionGroup var ready: ReadyOptions
    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...Placement.replicaCountMax).contains(Int(replicas)) else {
            throw ValidationError("--replicas is 1 to \(Placement.replicaCountMax), not \(replicas)")
        }
        guard (1...65_535).contains(partitions) else { throw ValidationError("--partitions is 1 to 65535, not \(partitions)") }
    }

    func run() throws {
        let signals = TerminationSignals()
        let logger = logging.start("meta", default: .info)
        var options = MetadataServiceOptions()
        options.replicas = replicas
        options.partitions = partitions
        options.syncsEveryChange = sync == .every
        var started: MetadataService?
        try ready.reporting {
            let service = try MetadataService(
                directory: directory, listen: listen, options: options, logger: logger,
                fail: { reason in
                    logger.critical("\(reason)")
                    Failure.exit(with: ServerFailure(reason: reason))
                })
            started = service
            return "\(service.address)"
        }
        guard let service = started else { preconditionFailure("it was started, or an error thrown") }
        logger.info("serving", metadata: ["address": "\(service.address)", "directory": "\(directory)"])
        signals.waitAndExit(logger) {
            do throws(MetadataServiceError) { try service.stop() } catch { Failure.exit(with: error) }
        }
    }
}

/// A server that cannot go on, such as one whose disk fails.
struct ServerFailure: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
