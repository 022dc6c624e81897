import ShoalTypes
import ShoalWire
import Testing
import ShoalTestSupport

/// A message type with a source of random values: one line per message of the protocol.
struct MessageSample: Sendable, CustomTestStringConvertible {
    let name: String
    /// A random message's bytes, and whether decoding them gave the message back.
    let roundTrip: @Sendable (inout SeededGenerator) -> (bytes: [UInt8], isEqual: Bool)
    /// Whether the bytes decode.
    let decodes: @Sendable (UnsafeRawBufferPointer) -> Bool

    var testDescription: String { name }

    init<Message: WireMessage & Equatable>(_ make: @escaping @Sendable (inout SeededGenerator) -> Message) {
        name = "\(Message.self)"
        roundTrip = { random in
            let message = make(&random)
            let bytes = message.encoded()
            do throws(WireError) { return (bytes, try Message(decoding: bytes) == message) } catch {
                return (bytes, false)
            }
        }
        decodes = { bytes in
            do throws(WireError) {
                _ = try Message(decoding: bytes)
                return true
            } catch { return false }
        }
    }

    /// As `MessageSample(_:)`, for messages whose fields are set one by one.
    init<Message: WireMessage & Equatable>(
        of type: Message.Type, _ fill: @escaping @Sendable (inout Message, inout SeededGenerator) -> Void
    ) {
        self.init { random in
            var message = Message()
            fill(&message, &random)
            return message
        }
    }
}
