/// How long `up` and `down` wait for processes, in seconds.
package struct LocalClusterLimits: Sendable {
    /// For all nodes to be counted as up.
    package var joinSecondsMax: Int64 = 60
    /// For the end of a server that was told to end.
    package var stopSecondsMax: Int64 = 30
    /// For the end of a mount that has lost its name, before its process is told to end.
    package var endOfMountSecondsMax: Int64 = 2
    /// For the end of a mount, from then on: it may have much to write back.
    package var writeBackSecondsMax: Int64 = 120
    package init() {}

    package static let production = LocalClusterLimits()
}
