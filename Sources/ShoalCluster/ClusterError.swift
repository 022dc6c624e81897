import ShoalTransport

/// Why a command about a cluster cannot do what it was asked; the description is one line: what is wrong, and what to
/// do.
package enum ClusterError: Error, Equatable, Sendable, CustomStringConvertible {
    case noCluster(String)
    case notEmpty(String)
    case corruptState(String, reason: String)
    case unsupportedState(String, format: Int)
    case busy(String)
    case file(String, reason: String)
    case noFreePort
    case cannotStart(String, reason: String)
    /// The process said why it could not start.
    case startFailed(String, reason: String)
    case ended(String, log: String)
    case silent(String, seconds: Int64, log: String)
    case nodesMissing(expected: Int, up: Int, logs: String)
    case stillRunning(String, pid: Int32, seconds: Int64)
    case tooManyNodes(Int)
    case tooFewNodes(Int, replicas: Int)
    case replicasFixed(directory: String, have: Int, asked: Int)
    case metadataUnreachable(String)
    case metadataRefused(String, reason: String)
    case mountpointMissing(String)
    case mountpointNotDirectory(String)
    case mountpointBusy(String, filesystem: String)
    case mountpointDead(String)
    case notMounted(String)
    case notShoal(String, filesystem: String)
    case inUse(String, by: String)
    /// It has lost its name, and lives as long as who uses it.
    case detached(String, by: String, pid: Int32)
    case cannotUnmount(String, reason: String)

    package var description: String {
        switch self {
        case .noCluster(let path): "\(path): there is no cluster here; start one with 'shoal up --dir \(path)'"
        case .notEmpty(let path): "\(path): not empty and not a cluster's directory; choose another with --dir"
        case .corruptState(let path, let reason):
            "\(path): corrupt (\(reason)); restore it from a copy, or move the directory away and start afresh"
        case .unsupportedState(let path, let format):
            "\(path): written by a newer release (format \(format)); use that one"
        case .busy(let path): "\(path): another 'shoal up' or 'shoal down' is at work here; wait for it"
        case .file(let path, let reason): "\(path): \(reason)"
        case .noFreePort:
            "no free port on 127.0.0.1 between \(FreePort.range.lowerBound) and \(FreePort.range.upperBound)"
        case .cannotStart(let name, let reason): "cannot start \(name): \(reason)"
        case .startFailed(let name, let reason): "\(name) did not start: \(reason)"
        case .ended(let name, let log): "\(name) ended while starting; see \(log)"
        case .silent(let name, let seconds, let log):
            "\(name) was not ready after \(seconds) s and was stopped; see \(log)"
        case .nodesMissing(let expected, let up, let logs):
            "only \(up) of \(expected) storage nodes have joined the cluster; see the logs in \(logs)"
        case .stillRunning(let name, let pid, let seconds):
            "\(name) (process \(pid)) has not ended after \(seconds) s; 'kill -9 \(pid)' ends it"
        case .tooManyNodes(let count): "a local cluster has 1 to \(LocalCluster.nodesMax) nodes, not \(count)"
        case .tooFewNodes(let nodes, let replicas):
            "\(replicas) replicas need \(replicas) nodes at least, not \(nodes): say --nodes \(replicas), or fewer --replicas"
        case .replicasFixed(let directory, let have, let asked):
            "\(directory): this cluster keeps \(have) replicas, not \(asked); leave --replicas out, or make another cluster with --dir"
        case .metadataUnreachable(let address):
            "\(address): no metadata server answers; is it running ('shoal up', 'shoal meta'), is the address right?"
        case .metadataRefused(let address, let reason): "\(address): the metadata server refused: \(reason)"
        case .mountpointMissing(let path): "\(path): no such directory; make it with 'mkdir -p \(path)'"
        case .mountpointNotDirectory(let path): "\(path): not a directory; mount on a directory"
        case .mountpointBusy(let path, let filesystem):
            "\(path): a \(filesystem) filesystem is mounted here already; choose another directory"
        case .mountpointDead(let path):
            "\(path): the mount here has lost its process; clear it with 'shoal umount \(path)'"
        case .notMounted(let path): "\(path): nothing is mounted here"
        case .notShoal(let path, let filesystem): "\(path): a \(filesystem) filesystem, not a Shoal mount; use umount"
        case .inUse(let path, let users): "\(path): in use by \(users); leave it and try again, or use --force"
        case .detached(let path, let users, let pid):
            "\(path): detached, but still used by \(users); it ends with them, or with 'kill \(pid)'"
        case .cannotUnmount(let path, let reason): "\(path): cannot unmount: \(reason)"
        }
    }
}
