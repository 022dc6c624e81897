import ShoalTypes
import ShoalWire

/// A reply as its receiver sees it; both buffers are valid only during the call.
package struct Reply {
    package let status: WireStatus
    package let message: UnsafeRawBufferPointer
    package let payload: UnsafeRawBufferPointer
    package init(status: WireStatus, message: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) {
        self.status = status
        self.message = message
        self.payload = payload
    }

    /// The message, if the status is ok; the status otherwise. A reply that does not decode is `.badRequest`.
    package func decode<Message: WireMessage>(_ type: Message.Type = Message.self) -> Result<Message, WireStatus> {
        guard status == .ok else { return .failure(status) }
        do throws(WireError) { return .success(try Message(decoding: message)) } catch { return .failure(.badRequest) }
    }

    /// A failure that arose on this side.
    package static func failed(_ status: WireStatus) -> Reply {
        Reply(
            status: status, message: UnsafeRawBufferPointer(start: nil, count: 0),
            payload: UnsafeRawBufferPointer(start: nil, count: 0))
    }
}

/// The other end of one connection, for the loop that owns it. Used on that loop only.
package protocol Peer: AnyObject {
    /// Sends a request. `completion` runs exactly once, on the loop: with the reply, or with `.unreachable` when the
    /// connection is lost or `deadline` has passed. Never from inside this call.
    /// The buffers are copied before the call returns; the payload is the concatenation of the parts.
    func call(
        _ operation: Operation, _ message: some WireMessage, payload: [UnsafeRawBufferPointer], deadline: Interval,
        completion: @escaping (Reply) -> Void)
    /// Sends a notice: no reply, lost if the connection is.
    func notify(_ operation: Operation, _ message: some WireMessage)
    var isConnected: Bool { get }
    /// Requests without a reply so far: the load measure for choosing a replica.
    var outstanding: Int { get }
}

extension Peer {
    package func call(
        _ operation: Operation, _ message: some WireMessage, deadline: Interval, completion: @escaping (Reply) -> Void
    ) {
        call(operation, message, payload: [], deadline: deadline, completion: completion)
    }
}
