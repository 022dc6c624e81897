import NIOCore
import ShoalWire

/// What a frame's header says besides lengths and checksums, and how a frame is put together.
struct OutgoingFrame {
    var kind: FrameHeader.Kind
    var operation: UInt16
    var requestID: UInt64
    var status: UInt16

    init(_ kind: FrameHeader.Kind, operation: UInt16, requestID: UInt64, status: WireStatus = .ok) {
        self.kind = kind
        self.operation = operation
        self.requestID = requestID
        self.status = status.rawValue
    }

    func header(message: UnsafeRawBufferPointer, payloadBytes: Int) -> FrameHeader {
        precondition(message.count <= FrameHeader.messageBytesMax, "a message is longer than a frame may carry")
        precondition(payloadBytes <= FrameHeader.payloadBytesMax, "a payload is longer than a frame may carry")
        return FrameHeader(
            kind: kind, operation: operation, requestID: requestID, messageBytes: UInt32(message.count),
            payloadBytes: UInt32(payloadBytes), status: status,
            messageChecksum: FrameHeader.checksum(ofMessage: message))
    }

    /// Appends the whole frame to `buffer`.
    func write(message: UnsafeRawBufferPointer, payload: [UnsafeRawBufferPointer], to buffer: inout ByteBuffer) {
        let header = header(message: message, payloadBytes: payload.reduce(0) { $0 + $1.count })
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: header.frameBytes) { raw in
            header.encode(into: raw)
            var rest = UnsafeMutableRawBufferPointer(rebasing: raw[FrameHeader.byteCount...])
            rest.copyMemory(from: message)
            rest = UnsafeMutableRawBufferPointer(rebasing: rest[message.count...])
            for part in payload {
                rest.copyMemory(from: part)
                rest = UnsafeMutableRawBufferPointer(rebasing: rest[part.count...])
            }
            return header.frameBytes
        }
    }

    /// The whole frame in a buffer of its own.
    func assembled(message: UnsafeRawBufferPointer, payload: [UnsafeRawBufferPointer]) -> ByteBuffer {
        let bytes = payload.reduce(FrameHeader.byteCount + message.count) { $0 + $1.count }
        var buffer = ByteBufferAllocator().buffer(capacity: bytes)
        write(message: message, payload: payload, to: &buffer)
        return buffer
    }
}
