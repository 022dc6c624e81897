import ShoalChecksum

/// The fixed start of every frame; the message and then the payload follow. Little-endian.
///
///     0  4  magic "SHOL"
///     4  1  wire version
///     5  1  kind: 1 request, 2 reply, 3 notice (no reply)
///     6  2  operation
///     8  8  request ID, chosen by the requester, echoed by the reply
///     16 4  message bytes
///     20 4  payload bytes
///     24 2  status of a reply (`WireStatus`), 0 elsewhere
///     26 2  zero
///     28 4  CRC-32C of the message
///     32 4  zero
///     36 4  CRC-32C of bytes 0..<36
package struct FrameHeader: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        case request = 1
        case reply = 2
        case notice = 3
    }

    package static let byteCount = 40
    package static let magic: UInt32 = 0x4C4F_4853  // "SHOL"
    package static let version: UInt8 = 1
    package static let messageBytesMax = 4 << 20
    package static let payloadBytesMax = 2 << 20

    package var kind: Kind
    package var operation: UInt16
    package var requestID: UInt64
    package var messageBytes: UInt32
    package var payloadBytes: UInt32
    package var status: UInt16
    package var messageChecksum: UInt32

    package init(
        kind: Kind, operation: UInt16, requestID: UInt64, messageBytes: UInt32, payloadBytes: UInt32,
        status: UInt16 = 0, messageChecksum: UInt32
    ) {
        self.kind = kind
        self.operation = operation
        self.requestID = requestID
        self.messageBytes = messageBytes
        self.payloadBytes = payloadBytes
        self.status = status
        self.messageChecksum = messageChecksum
    }

    /// Bytes of the whole frame.
    package var frameBytes: Int { FrameHeader.byteCount + Int(messageBytes) + Int(payloadBytes) }

    /// Reads a header from the first `byteCount` bytes of `bytes`, which must hold that many.
    package init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        precondition(bytes.count >= FrameHeader.byteCount, "a header is \(FrameHeader.byteCount) bytes")
        func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as: T.Type) -> T {
            T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
        }
        guard load(0, as: UInt32.self) == FrameHeader.magic else { throw .badMagic }
        guard load(36, as: UInt32.self) == CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<36])) else {
            throw .badHeaderChecksum
        }
        guard load(4, as: UInt8.self) == FrameHeader.version else {
            throw .noCommonVersion(minimum: load(4, as: UInt8.self), maximum: load(4, as: UInt8.self))
        }
        guard let kind = Kind(rawValue: load(5, as: UInt8.self)) else { throw .unknownKind(load(5, as: UInt8.self)) }
        self.init(
            kind: kind, operation: load(6, as: UInt16.self), requestID: load(8, as: UInt64.self),
            messageBytes: load(16, as: UInt32.self), payloadBytes: load(20, as: UInt32.self),
            status: load(24, as: UInt16.self), messageChecksum: load(28, as: UInt32.self))
        guard messageBytes <= FrameHeader.messageBytesMax else { throw .messageTooLong(Int(messageBytes)) }
        guard payloadBytes <= FrameHeader.payloadBytesMax else { throw .payloadTooLong(Int(payloadBytes)) }
    }

    /// Writes the header, with its checksum, to the first `byteCount` bytes of `bytes`.
    package func encode(into bytes: UnsafeMutableRawBufferPointer) {
        func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, _ offset: Int) {
            bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self)
        }
        store(FrameHeader.magic, 0)
        store(FrameHeader.version, 4)
        store(kind.rawValue, 5)
        store(operation, 6)
        store(requestID, 8)
        store(messageBytes, 16)
        store(payloadBytes, 20)
        store(status, 24)
        store(UInt16(0), 26)
        store(messageChecksum, 28)
        store(UInt32(0), 32)
        store(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[..<36])), 36)
    }
}

extension FrameHeader {
    /// What `messageChecksum` says of `message`.
    package static func checksum(ofMessage message: UnsafeRawBufferPointer) -> UInt32 { CRC32C.checksum(message) }
}
