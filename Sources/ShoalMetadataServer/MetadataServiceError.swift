import ShoalKeyValue
import ShoalMetadata
import ShoalTransport

/// Why a metadata server could not start or stop. The description is one line for the user.
package enum MetadataServiceError: Error, CustomStringConvertible {
    case transport(TransportError)
    case inUse(String)
    case notUsable(String, reason: String)
    case corrupt(String, reason: String)
    case notStopped(reason: String)

    package var description: String {
        switch self {
        case .transport(let error): error.description
        case .inUse(let path): "\(path) is in use by another metadata server; stop that one, or choose another directory"
        case .notUsable(let path, let reason): "cannot use \(path): \(reason)"
        case .corrupt(let path, let reason):
            "\(path) does not hold the metadata of a Shoal cluster that this release can read: \(reason)"
        case .notStopped(let reason): "the last changes may not be on the disk: \(reason)"
        }
    }

    init(_ error: MetadataError, directory: String) {
        switch error {
        case .store(let error): self.init(error, directory: directory)
        case .corrupt(let reason): self = .corrupt(directory, reason: reason)
        case .file(let error): self = .notUsable(directory, reason: "\(error)")
        }
    }

    init(_ error: KeyValueError, directory: String) {
        switch error {
        case .locked: self = .inUse(directory)
        case .corrupt(let reason): self = .corrupt(directory, reason: reason)
        case .noSpace(let reason): self = .notUsable(directory, reason: "no space left: \(reason)")
        case .inputOutput(let reason): self = .notUsable(directory, reason: reason)
        }
    }
}
