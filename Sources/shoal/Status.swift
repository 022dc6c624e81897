import ArgumentParser
import Logging
import ShoalCluster
import ShoalTransport

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show servers, capacity, replicas and sessions.",
        discussion: """
            R/S is requests per second over the last seconds. A partition is degraded while it has fewer in-sync replicas than \
            the cluster keeps, and unavailable while none of them is on a node that is up.

            EXAMPLES
              shoal status
              shoal status --meta 127.0.0.1:7600 --json
            """)

    @OptionGroup var target: TargetOptions

    @Flag(help: "Print JSON (docs/formats/status-json.md).")
    var json = false

    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let logger = logging.start("status", default: .error)
        let address = try target.metadataAddress()
        let document = StatusDocument(
            try MetadataQuery(address, logger: logger).clusterStatus(), address: "\(address)")
        print(json ? document.json : document.text, terminator: "")
    }
}
