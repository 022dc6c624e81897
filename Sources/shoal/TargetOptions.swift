import ArgumentParser
import ShoalCluster
import ShoalTransport

/// Which cluster a command means.
struct TargetOptions: ParsableArguments {
    @Option(
        name: .customLong("dir"),
        help: ArgumentHelp("The directory of a cluster on this machine. (default: .shoal)", valueName: "dir"))
    var directory: String?

    @Option(help: ArgumentHelp("The metadata server, instead of --dir.", valueName: "host:port"))
    var meta: HostPort?

    func validate() throws {
        if directory != nil, meta != nil { throw ValidationError("--dir and --meta name two clusters; leave one out") }
    }

    func metadataAddress() throws(ClusterError) -> HostPort {
        if let meta { return meta }
        return try LocalCluster(directory: directory ?? ".shoal") { _ in }.metadataAddress()
    }
}

extension HostPort: ExpressibleByArgument {
    public init?(argument: String) {
        do throws(TransportError) { try self.init(parsing: argument) } catch { return nil }
    }
}
