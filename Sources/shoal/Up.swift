import ArgumentParser
import Glibc
import Logging
import ShoalCluster

struct Up: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start a cluster on this machine.",
        discussion: """
            Starts one metadata server and some storage nodes as separate processes on 127.0.0.1, mounts the cluster where --mount \
            says, and returns when all of it answers. Run again, it starts what is not running and leaves the rest alone. \
            Data, logs and the list of processes are kept in the cluster's directory.

            EXAMPLES
              shoal up --mount ./mnt
              shoal up --mount ./a --mount ./b        two mounts of the same cluster
              shoal up --dir /srv/shoal --nodes 5 --replicas 3
            """)

    @OptionGroup var cluster: ClusterOptions

    @Option(help: "Storage nodes; more than there are adds some. (default: those there are; 3 in a new cluster)")
    var nodes: Int?

    @Option(help: "Replicas of each chunk, fixed when the cluster is made. (default: 2, or 1 with a single node)")
    var replicas: Int?

    @Option(name: .customLong("mount"), parsing: .singleValue, help: "Where to mount it; may be given several times.")
    var mounts: [String] = []

    @Flag(help: "Stay until a signal comes (Ctrl-C), then unmount and stop.")
    var foreground = false

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        if let nodes, !(1...LocalCluster.nodesMax).contains(nodes) {
            throw ValidationError("--nodes is 1 to \(LocalCluster.nodesMax), not \(nodes)")
        }
        if let replicas, !(1...8).contains(replicas) {
            throw ValidationError("--replicas is 1 to 8, not \(replicas)")
        }
    }

    func run() throws {
        let logger = logging.start("up", default: .warning)
        let cluster = try LocalCluster(
            directory: cluster.directory, logLevel: logging.logLevel ?? .info, report: Progress.line)
        var options = LocalCluster.UpOptions()
        options.nodes = nodes
        options.replicas = replicas
        options.mounts = mounts
        let state = try cluster.up(options)
        print(
            "ready     \(cluster.layout.directory), \(Quantity.count(state.replicas, "replica")); logs in \(cluster.layout.logDirectory)"
        )
        guard foreground else { return }
        // It may be a file or pipe, in which somebody waits for this line.
        fflush(nil)
        stay(cluster, logger)
    }

    private func stay(_ cluster: LocalCluster, _ logger: Logger) -> Never {
        let signals = TerminationSignals()
        signals.waitAndExit(logger) {
            do throws(ClusterError) { try cluster.down() } catch { Failure.exit(with: error) }
        }
    }
}
