import ShoalKeyValue
import ShoalMetadata
import ShoalTransport
import ShoalTypes

/// Why a metadata server does not start, or cannot go on; the description is one line for the user.
package enum MetadataServerError: Error, CustomStringConvertible {
    case cannotUseDirectory(String, reason: String)
    case directoryInUse(String)
    /// There is something in it, and nothing says that it is a metadata server's.
    case notOurs(String)
    case corruptIdentity(path: String, reason: String)
    case unsupportedFormat(path: String, format: Int)
    case badOption(String)
    case transport(TransportError)
    case store(directory: String, KeyValueError)
    case metadata(directory: String, MetadataError)
    /// It was running: the reason why it must not go on.
    case failed(String)

    package var description: String {
        switch self {
        case .cannotUseDirectory(let path, let reason): "cannot use directory \(path): \(reason)"
        case .directoryInUse(let path): "directory \(path) is in use by another process"
        case .notOurs(let path): "directory \(path) is not empty and not a metadata server's"
        case .corruptIdentity(let path, let reason): "identity file \(path) is corrupt: \(reason)"
        case .unsupportedFormat(let path, let format):
            "identity file \(path) has format \(format), which this release does not know"
        case .badOption(let text): text
        case .transport(let error): "\(error)"
        case .store(let directory, let error): "the store in \(directory) cannot be opened: \(error)"
        case .metadata(let directory, .store(let error)): "the store in \(directory) failed: \(error)"
        case .metadata(let directory, .corrupt(let reason)): "the store in \(directory) is corrupt: \(reason)"
        case .metadata(let directory, .file(let error)): "the store in \(directory) failed: \(error)"
        case .failed(let reason): reason
        }
    }
}
