import NIOCore
import ShoalTypes
import ShoalWire

/// Why this side ends a connection.
enum CloseReason {
    case badFrame(WireError)
    /// A valid frame, but none that may come before the handshake is done.
    case notHello
    case handshakeTimedOut
    /// The two sides' version ranges do not meet.
    case noCommonVersion
    /// We refused the other side's hello, or it refused ours.
    case refused(WireStatus)
    /// The other side does not take what is sent to it.
    case outputFull
    case failed(any Error)
    /// The other side closed it, or the owner did.
    case ended

    /// For the log; nil for what is no fault.
    var complaint: String? {
        switch self {
        case .badFrame(.badMagic): "what it sent is not a Shoal frame"
        case .badFrame(.badHeaderChecksum): "a frame's header does not match its checksum"
        case .badFrame(.badMessageChecksum): "a message does not match its checksum"
        case .badFrame(.noCommonVersion(let version, _)): "its frames are of version \(version)"
        case .badFrame(let error): "a frame is malformed: \(error)"
        case .notHello: "it did not begin with a hello"
        case .handshakeTimedOut: "it did not finish the handshake in time"
        case .noCommonVersion: "it speaks no version that this release speaks"
        case .refused(let status): "the handshake was refused: \(status)"
        case .outputFull: "it does not take what is sent to it"
        case .failed, .ended: nil
        }
    }
}
