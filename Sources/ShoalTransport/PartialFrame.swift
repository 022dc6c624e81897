import NIOCore
import ShoalWire

/// A frame that has come in part: at most one per connection, at most the longest frame. Its buffer is as long as the
/// frame from the moment the header is known, so that every byte is moved once.
struct PartialFrame {
    private var buffer = ByteBuffer()
    private var expected = 0
    private(set) var header: FrameHeader?

    /// No frame has begun.
    var isEmpty: Bool { expected == 0 }
    /// The header, or once that is known the frame, is complete.
    var isFilled: Bool { buffer.readableBytes == expected }

    /// `bytes` are the start of a frame, not all of it.
    mutating func begin(_ bytes: UnsafeRawBufferPointer, header: FrameHeader? = nil, loop: Loop) {
        expected = header?.frameBytes ?? FrameHeader.byteCount
        self.header = header
        buffer = loop.takeBuffer(capacity: expected)
        buffer.writeBytes(bytes)
    }

    /// Moves what is missing, as far as it is there, from the start of `bytes`.
    mutating func take(from bytes: inout UnsafeRawBufferPointer) {
        let count = min(expected - buffer.readableBytes, bytes.count)
        buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        bytes = UnsafeRawBufferPointer(rebasing: bytes[count...])
    }

    func withBytes<Value>(_ body: (UnsafeRawBufferPointer) -> Value) -> Value { buffer.withUnsafeReadableBytes(body) }

    /// The bytes so far are `header`.
    mutating func expect(_ header: FrameHeader, loop: Loop) {
        self.header = header
        expected = header.frameBytes
        buffer.reserveCapacity(expected)
    }

    /// Takes the complete frame out.
    mutating func finish() -> (FrameHeader, ByteBuffer)? {
        guard let header, isFilled else { return nil }
        defer { self = PartialFrame() }
        return (header, buffer)
    }
}
