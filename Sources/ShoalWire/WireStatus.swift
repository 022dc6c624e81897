import ShoalTypes

/// How a request ended, in the header of its reply.
///
/// 0 is success; 1...4095 is a Linux errno; from 4096 on are the protocol's own refusals, which a client acts on and
/// never shows to a user.
package enum WireStatus: Hashable, Sendable, Error {
    case ok
    case failed(FileError)
    /// The requester's epoch is older than the partition's: fetch the map, then ask again.
    case staleEpoch
    /// The session has been fenced: it ended, its writes are refused for ever.
    case fenced
    /// The lease sequence is below the chunk's: somebody else has been granted the write lease since.
    case staleLease
    /// The connection is not the session's newest to this node.
    case staleConnection
    /// This node holds no in-sync (for reads) or writable (for writes) replica of the partition.
    case notReplica
    /// Bytes and checksums do not match: on a write, the requester's; on a read, what the disk holds.
    case badChecksum
    /// The server is starting, or waits for sessions to come back: ask again soon.
    case notReady
    /// The session is unknown or has expired: open a new one.
    case unknownSession
    /// The peer belongs to another cluster.
    case wrongCluster
    /// The message was malformed, or the operation is unknown.
    case badRequest
    /// Never on the wire: the connection was lost or the deadline passed before a reply came.
    case unreachable

    package init(rawValue: UInt16) {
        switch rawValue {
        case 0: self = .ok
        case 1..<4096: self = .failed(FileError(errno: CInt(rawValue)))
        case 4096: self = .staleEpoch
        case 4097: self = .fenced
        case 4098: self = .staleLease
        case 4099: self = .staleConnection
        case 4100: self = .notReplica
        case 4101: self = .badChecksum
        case 4102: self = .notReady
        case 4103: self = .unknownSession
        case 4104: self = .wrongCluster
        case 4106: self = .unreachable
        default: self = .badRequest
        }
    }

    package var rawValue: UInt16 {
        switch self {
        case .ok: 0
        case .failed(let error): UInt16(error.errno)
        case .staleEpoch: 4096
        case .fenced: 4097
        case .staleLease: 4098
        case .staleConnection: 4099
        case .notReplica: 4100
        case .badChecksum: 4101
        case .notReady: 4102
        case .unknownSession: 4103
        case .wrongCluster: 4104
        case .badRequest: 4105
        case .unreachable: 4106
        }
    }

    /// What a user is told.
    package var fileError: FileError {
        switch self {
        case .failed(let error): error
        case .unreachable, .notReady: .timedOut
        case .fenced, .unknownSession: .stale
        default: .inputOutput
        }
    }
}
