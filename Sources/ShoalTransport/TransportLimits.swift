import ShoalTypes
import ShoalWire

/// Every bound of the transport, with its reason.
package struct TransportLimits: Sendable {
    /// From the start of a connection to the end of its handshake; then it is closed.
    package var handshake = Interval.seconds(5)
    /// Of one attempt to connect.
    package var connect = Interval.seconds(3)
    /// Inbound connections of one listener. Further ones are closed at once.
    package var inboundConnectionsMax = 1024
    /// The longest frame that is accepted before the handshake is done. A hello takes about 100 bytes.
    package var helloFrameBytesMax = 1024
    /// Requests of one connection that have not been answered. Further ones are answered `.notReady`: not reading them
    /// would also leave unread the answers that the earlier ones may be waiting for.
    package var unansweredRequestsMax = 4096
    /// Bytes of those requests. Above it the connection is not read from until half of it has been answered.
    package var unansweredBytesMax = 64 << 20
    /// Bytes that the other side has not taken. Above it, once as many bytes of replies are waiting, the connection is
    /// not read from until `outputBytesLow`. Only replies count: two sides that both wait to get their requests out
    /// would wait for each other for ever.
    package var outputBytesHigh = 16 << 20
    package var outputBytesLow = 4 << 20
    /// Bytes that the other side has not taken, at most: a call above it is answered `.unreachable`, and a reply or
    /// notice above it closes the connection. Also bounds the calls that wait for a connection.
    package var outputBytesMax = 128 << 20
    /// Calls of one peer that wait for their replies; further ones are answered `.unreachable`.
    package var callsMax = 65_536
    /// Between attempts to connect: doubles from the first to the second.
    package var backoffMin = Interval.milliseconds(20)
    package var backoffMax = Interval.seconds(1)
    /// A call is answered at most this long after its deadline.
    package var deadlineGrain = Interval.milliseconds(20)

    package init() {}
    package static let production = TransportLimits()

    /// One read of a socket.
    static let receiveBytes = 256 << 10
    /// Frames up to this size share one output buffer; longer ones have their own.
    static let sharedFrameBytesMax = 64 << 10
    /// The shared output buffer is handed to the channel when it has grown to this.
    static let sharedOutputBytesMax = 256 << 10
}
