import Glibc
import ShoalTypes

/// How a process that was started in the background tells the one that started it that it is ready, or why it is not:
/// one line on an inherited descriptor (`--ready-fd`), then the descriptor is closed. The end of the process without a
/// line is an event too, so nobody waits for a time.
///
///     ready 127.0.0.1:12345
///     failed 127.0.0.1:12345: the port is in use
package enum Readiness: Equatable, Sendable {
    case ready(String)
    case failed(String)

    private static let lineBytesMax = 4096

    /// Reports on `descriptor` and closes it. If nobody listens any more, nobody needs to know.
    package func report(on descriptor: CInt) {
        let text =
            switch self {
            case .ready(let address): "ready \(address)\n"
            case .failed(let reason): "failed \(reason.split(whereSeparator: \.isNewline).joined(separator: " "))\n"
            }
        let bytes = Array(text.utf8.prefix(Self.lineBytesMax))
        _ = write(descriptor, bytes, bytes.count)
        close(descriptor)
    }

    init?(line: String) {
        if line.hasPrefix("ready ") {
            self = .ready(String(line.dropFirst("ready ".count)))
        } else if line.hasPrefix("failed ") {
            self = .failed(String(line.dropFirst("failed ".count)))
        } else {
            return nil
        }
    }

    enum Outcome: Equatable {
        case reported(Readiness)
        case ended
        case silent
    }

    /// Waits for the line, the end of the writer, or the deadline.
    static func wait(on descriptor: CInt, until deadline: MonotonicInstant) -> Outcome {
        var bytes: [UInt8] = []
        while bytes.last != UInt8(ascii: "\n"), bytes.count < lineBytesMax {
            let left = (deadline - MonotonicClock.now).milliseconds
            guard left > 0 else { return .silent }
            var descriptors = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&descriptors, 1, CInt(min(left, 60_000))) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 512)
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return .ended }
            bytes += buffer[..<count]
        }
        return Readiness(line: String(decoding: bytes.dropLast(), as: UTF8.self)).map { .reported($0) } ?? .ended
    }
}
