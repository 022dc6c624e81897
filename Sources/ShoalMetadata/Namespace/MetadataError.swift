import ShoalKeyValue
import ShoalTypes
import ShoalWire

/// Why the namespace could not do what it was asked.
package enum MetadataError: Error, Equatable, Sendable {
    /// The request is answered with this errno; nothing was changed.
    case file(FileError)
    /// The store failed. Nothing it holds can be trusted to be newer than its last good commit: stop the server.
    case store(KeyValueError)
    /// A record does not decode, is of a format this release does not know, or contradicts another.
    case corrupt(String)

    /// What the requester is told.
    package var status: WireStatus {
        switch self {
        case .file(let error): .failed(error)
        case .store(.noSpace): .failed(.noSpace)
        case .store, .corrupt: .failed(.inputOutput)
        }
    }
}
