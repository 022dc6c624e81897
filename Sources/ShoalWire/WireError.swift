/// Why bytes from a peer were refused.
package enum WireError: Error, Equatable, Sendable {
    case badMagic
    case badHeaderChecksum
    case badMessageChecksum
    case unknownKind(UInt8)
    case messageTooLong(Int)
    case payloadTooLong(Int)
    /// The message ended early, has bytes left over, or holds a value outside its bounds.
    case malformed
    /// The peer speaks only versions that this release does not.
    case noCommonVersion(minimum: UInt8, maximum: UInt8)
}
