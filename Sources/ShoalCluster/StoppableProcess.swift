/// A server or mount of a local cluster: something with a process that is to end in order.
package protocol StoppableProcess: Sendable {
    /// The one that was started last.
    var process: ProcessIdentity? { get }
    /// That process was told to end, and must not be told twice. Absent if not.
    var isStopping: Bool? { get set }
}

extension StoppableProcess {
    package var isRunning: Bool { process?.isRunning ?? false }
}
