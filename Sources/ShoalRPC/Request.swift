import ShoalWire

/// A request or notice that came in; both buffers are valid only during the call that delivers it.
package struct Request {
    package let operation: Operation
    package let message: UnsafeRawBufferPointer
    package let payload: UnsafeRawBufferPointer
    package init(operation: Operation, message: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer) {
        self.operation = operation
        self.message = message
        self.payload = payload
    }

    /// - Throws: `.malformed`; the caller answers `.badRequest`.
    package func decode<Message: WireMessage>(_ type: Message.Type = Message.self) throws(WireError) -> Message {
        try Message(decoding: message)
    }
}

/// The one reply owed for a request. Usable from any thread, exactly once; a responder that is dropped unused answers
/// `.failed(.inputOutput)`, so that a peer never waits for its deadline. After the connection is gone a reply goes
/// nowhere.
package protocol Responder: AnyObject, Sendable {
    func reply(_ status: WireStatus, message: [UInt8])
    /// Calls `fill` before returning, on this thread, with a buffer of `payloadCapacity` bytes that becomes the reply's
    /// payload.
    func reply(
        payloadCapacity: Int,
        fill: (UnsafeMutableRawBufferPointer) -> (status: WireStatus, message: [UInt8], payloadBytes: Int))
}

extension Responder {
    package func reply(_ message: some WireMessage) { reply(.ok, message: message.encoded()) }
    package func reply(_ status: WireStatus) { reply(status, message: []) }
}
