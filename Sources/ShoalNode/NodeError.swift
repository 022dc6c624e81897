import ShoalChunkStore
import ShoalTransport
import ShoalTypes

/// Why a storage node does not start; the description is one line for the user.
package enum NodeError: Error, CustomStringConvertible {
    case cannotUseDirectory(String, reason: String)
    case directoryInUse(String)
    /// There is something in it, and nothing says that it is a storage node's.
    case notOurs(String)
    case corruptIdentity(path: String, reason: String)
    case unsupportedFormat(path: String, format: Int)
    /// There are chunks, but no file says whose they are.
    case identityMissing(directory: String)
    case wrongCluster(directory: String, own: ClusterID, met: ClusterID)
    case refused(metadata: String, reason: String)
    case metadataUnreachable(String)
    case transport(TransportError)
    case store(ChunkStoreError)

    package var description: String {
        switch self {
        case .cannotUseDirectory(let path, let reason): "cannot use directory \(path): \(reason)"
        case .directoryInUse(let path): "directory \(path) is in use by another process"
        case .notOurs(let path): "directory \(path) is not empty and not a storage node's"
        case .corruptIdentity(let path, let reason): "identity file \(path) is corrupt: \(reason)"
        case .unsupportedFormat(let path, let format):
            "identity file \(path) has format \(format), which this release does not know"
        case .identityMissing(let directory): "directory \(directory) holds chunks, but its identity file is missing"
        case .wrongCluster(let directory, let own, let met):
            met == .unknown
                ? "directory \(directory) belongs to cluster \(own), the metadata server to another"
                : "directory \(directory) belongs to cluster \(own), the metadata server to \(met)"
        case .refused(let metadata, let reason): "the metadata server at \(metadata) refused this node: \(reason)"
        case .metadataUnreachable(let address): "the metadata server at \(address) does not answer"
        case .transport(let error): "\(error)"
        case .store(let error): "chunk store: \(error)"
        }
    }
}
