import Logging
import ShoalTransport
import ShoalTypes

/// A cluster of real processes on this machine: one metadata server, some storage nodes, any number of mounts.
package struct LocalCluster: Sendable {
    package static let nodesMax = 64

    package let layout: ClusterLayout
    let logLevel: Logger.Level
    let limits: LocalClusterLimits
    /// Is told, one line each, what happens.
    let report: @Sendable (String) -> Void

    package init(
        directory: String, logLevel: Logger.Level = .info, limits: LocalClusterLimits = .production,
        report: @escaping @Sendable (String) -> Void
    ) throws(ClusterError) {
        layout = try ClusterLayout(directory: directory)
        self.logLevel = logLevel
        self.limits = limits
        self.report = report
    }

    /// - Throws: `.noCluster` if there is none; `.corruptState`, `.unsupportedState`, `.file`.
    package func state() throws(ClusterError) -> ClusterState {
        guard let state = try ClusterState.load(layout.statePath) else { throw .noCluster(layout.directory) }
        return state
    }

    /// Where the cluster's metadata server listens.
    package func metadataAddress() throws(ClusterError) -> HostPort {
        HostPort(host: "127.0.0.1", port: try state().meta.port)
    }
}
