import Glibc

/// Why a filesystem call failed; every case is one errno (errno(3)).
package enum FileError: Error, Sendable, CaseIterable {
    case notPermitted
    case notFound
    case interrupted
    case inputOutput
    case tooBig
    case badDescriptor
    case tryAgain
    case accessDenied
    case busy
    case exists
    case crossDevice
    case notDirectory
    case isDirectory
    case invalidArgument
    case fileTooLarge
    case noSpace
    case readOnly
    case tooManyLinks
    case range
    case nameTooLong
    case notImplemented
    case notEmpty
    case loop
    case noData
    case notSupported
    case stale
    case quota
    case timedOut
    case notConnected
    case noDevice
    case deadlock
    case noLocks

    /// The errno(3) value.
    package var errno: CInt {
        switch self {
        case .notPermitted: EPERM
        case .notFound: ENOENT
        case .interrupted: EINTR
        case .inputOutput: EIO
        case .tooBig: E2BIG
        case .badDescriptor: EBADF
        case .tryAgain: EAGAIN
        case .accessDenied: EACCES
        case .busy: EBUSY
        case .exists: EEXIST
        case .crossDevice: EXDEV
        case .notDirectory: ENOTDIR
        case .isDirectory: EISDIR
        case .invalidArgument: EINVAL
        case .fileTooLarge: EFBIG
        case .noSpace: ENOSPC
        case .readOnly: EROFS
        case .tooManyLinks: EMLINK
        case .range: ERANGE
        case .nameTooLong: ENAMETOOLONG
        case .notImplemented: ENOSYS
        case .notEmpty: ENOTEMPTY
        case .loop: ELOOP
        case .noData: ENODATA
        case .notSupported: EOPNOTSUPP
        case .stale: ESTALE
        case .quota: EDQUOT
        case .timedOut: ETIMEDOUT
        case .notConnected: ENOTCONN
        case .noDevice: ENODEV
        case .deadlock: EDEADLK
        case .noLocks: ENOLCK
        }
    }

    /// The error that `errno` names; `.inputOutput` for numbers outside this table.
    package init(errno: CInt) {
        self = FileError.allCases.first { $0.errno == errno } ?? .inputOutput
    }
}
