import NIOCore
import ShoalRPC
import ShoalTypes
import ShoalWire
import Synchronization

/// The reply owed for one request of a connection.
///
/// On the loop a reply goes straight to the connection's output; on any other thread it is put together there, and
/// handed over.
final class ConnectionResponder: Responder {
    private let connection: Connection
    private let requestID: UInt64
    private let operation: UInt16
    private let requestBytes: Int
    private let isAnswered = Atomic<Bool>(false)

    /// Room for a header and the message that accompanies a payload, so that all of it is one buffer: enough for the
    /// checksums of the largest read.
    private static let headroom = 2048

    init(_ connection: Connection, _ header: FrameHeader) {
        self.connection = connection
        requestID = header.requestID
        operation = header.operation
        requestBytes = header.frameBytes
    }

    deinit {
        if !isAnswered.load(ordering: .relaxed) { send(.failed(.inputOutput), message: []) }
    }

    func reply(_ status: WireStatus, message: [UInt8]) {
        claim()
        send(status, message: message)
    }

    func reply(
        payloadCapacity: Int,
        fill: (UnsafeMutableRawBufferPointer) -> (status: WireStatus, message: [UInt8], payloadBytes: Int)
    ) {
        claim()
        let headroom = ConnectionResponder.headroom
        var head: ByteBuffer?
        var frameStart = headroom
        var buffer = ByteBufferAllocator().buffer(capacity: headroom + payloadCapacity)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: headroom + payloadCapacity) { raw in
            let (status, message, payloadBytes) = fill(
                UnsafeMutableRawBufferPointer(rebasing: raw[headroom..<headroom + payloadCapacity]))
            precondition((0...payloadCapacity).contains(payloadBytes), "a payload fits its buffer")
            message.withUnsafeBytes { message in
                let header = frame(status).header(message: message, payloadBytes: payloadBytes)
                let bytes = FrameHeader.byteCount + message.count
                if bytes <= headroom {
                    frameStart = headroom - bytes
                    write(header, message, to: UnsafeMutableRawBufferPointer(rebasing: raw[frameStart..<headroom]))
                } else {
                    var long = ByteBufferAllocator().buffer(capacity: bytes)
                    long.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes) {
                        write(header, message, to: $0)
                        return bytes
                    }
                    head = long
                }
            }
            return headroom + payloadBytes
        }
        buffer.moveReaderIndex(to: frameStart)
        let reply = ReadyReply(head: head, rest: buffer, requestBytes: requestBytes)
        if connection.loop.isCurrent { connection.send(reply) } else { connection.hand(over: reply) }
    }

    private func claim() {
        precondition(!isAnswered.exchange(true, ordering: .relaxed), "a request is answered once")
    }

    private func frame(_ status: WireStatus) -> OutgoingFrame {
        OutgoingFrame(.reply, operation: operation, requestID: requestID, status: status)
    }

    private func write(
        _ header: FrameHeader, _ message: UnsafeRawBufferPointer, to bytes: UnsafeMutableRawBufferPointer
    ) {
        header.encode(into: bytes)
        UnsafeMutableRawBufferPointer(rebasing: bytes[FrameHeader.byteCount...]).copyMemory(from: message)
    }

    private func send(_ status: WireStatus, message: [UInt8]) {
        message.withUnsafeBytes { message in
            if connection.loop.isCurrent {
                connection.answered(requestBytes)
                connection.sendOrFail(frame(status), message: message, payload: [])
            } else {
                connection.hand(
                    over: ReadyReply(
                        head: nil, rest: frame(status).assembled(message: message, payload: []),
                        requestBytes: requestBytes))
            }
        }
    }
}
