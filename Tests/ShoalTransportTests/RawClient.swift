import Glibc
import ShoalTransport
import ShoalTypes
import ShoalWire

/// A blocking socket that sends whatever a test wants.
final class RawClient {
    private let descriptor: CInt

    init(_ address: HostPort) {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = address.port.bigEndian
        target.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        precondition(result == 0, "cannot connect to \(address): errno \(errno)")
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Returns how many bytes went before the other side closed.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Int {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        return sent
    }

    /// Up to `count` bytes; fewer when the other side closed. Nil when nothing came for 20 s.
    func receive(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(count, 1 << 18))
        while bytes.count < count {
            let received = recv(descriptor, &buffer, min(buffer.count, count - bytes.count), 0)
            if received < 0, errno == EAGAIN { return nil }
            guard received > 0 else { break }
            bytes.append(contentsOf: buffer[..<received])
        }
        return bytes
    }

    func endOutput() { shutdown(descriptor, CInt(SHUT_WR)) }

    /// Reads until the other side closes; false when it did not within 20 s.
    func isClosedByPeer() -> Bool {
        while let bytes = receive(1 << 16) { if bytes.count < 1 << 16 { return true } }
        return false
    }

    /// Sends a hello and takes the reply's header and message.
    func greet() -> Hello? {
        send(RawClient.frame(.request, Operation.hello.rawValue, 0, Hello(role: .client, cluster: .unknown).encoded()))
        return receiveFrame().flatMap { frame in
            do throws(WireError) { return try Hello(decoding: frame.message) } catch { return nil }
        }
    }

    func receiveFrame() -> (header: FrameHeader, message: [UInt8], payload: [UInt8])? {
        guard let head = receive(FrameHeader.byteCount), head.count == FrameHeader.byteCount else { return nil }
        do {
            let header = try head.withUnsafeBytes { try FrameHeader(decoding: $0) }
            guard let message = receive(Int(header.messageBytes)), let payload = receive(Int(header.payloadBytes))
            else { return nil }
            return (header, message, payload)
        } catch { return nil }
    }

    static func frame(
        _ kind: FrameHeader.Kind, _ operation: UInt16, _ requestID: UInt64, _ message: [UInt8], payload: [UInt8] = []
    ) -> [UInt8] {
        let header = FrameHeader(
            kind: kind, operation: operation, requestID: requestID, messageBytes: UInt32(message.count),
            payloadBytes: UInt32(payload.count),
            messageChecksum: message.withUnsafeBytes { FrameHeader.checksum(ofMessage: $0) })
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes { header.encode(into: $0) }
        return bytes + message + payload
    }
}
