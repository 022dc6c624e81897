import NIOCore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The other end of a connection: an inbound one for its whole life, a dialled one over all its connections.
// @unchecked Sendable: used on its loop's thread only.
final class TransportPeer: Peer, @unchecked Sendable {
    let loop: Loop
    let limits: TransportLimits
    /// Held until the peer is closed or, inbound, its connection is gone.
    private(set) var delegate: (any PeerDelegate)?
    /// The connection, once its handshake is done.
    private(set) var connection: Connection?
    var calls = CallTable()
    /// Nil for an inbound peer.
    var dialler: Dialler?
    private var isSwept = false
    private var waiting: [(id: UInt64, frame: ByteBuffer)] = []
    private var waitingBytes = 0

    init(loop: Loop, limits: TransportLimits, delegate: any PeerDelegate) {
        self.loop = loop
        self.limits = limits
        self.delegate = delegate
    }

    var isConnected: Bool { connection != nil }
    var outstanding: Int { calls.count }

    func call(
        _ operation: Operation, _ message: some WireMessage, payload: [UnsafeRawBufferPointer], deadline: Interval,
        completion: @escaping (Reply) -> Void
    ) {
        loop.eventLoop.assertInEventLoop()
        guard canCall else { return loop.later { completion(.failed(.unreachable)) } }
        let id = calls.add(deadline: loop.now + deadline, completion: completion)
        if !isSwept {
            isSwept = true
            loop.sweep(self, every: limits.deadlineGrain)
        }
        let frame = OutgoingFrame(.request, operation: operation.rawValue, requestID: id)
        let message = message.encoded()
        message.withUnsafeBytes { message in
            if let connection {
                connection.send(frame, message: message, payload: payload)
            } else {
                let bytes = frame.assembled(message: message, payload: payload)
                waitingBytes += bytes.readableBytes
                waiting.append((id, bytes))
            }
        }
    }

    private var canCall: Bool {
        guard calls.count < limits.callsMax else { return false }
        if let connection { return connection.hasRoom }
        return dialler?.isHopeful == true && waitingBytes < limits.outputBytesMax
    }

    func notify(_ operation: Operation, _ message: some WireMessage) {
        loop.eventLoop.assertInEventLoop()
        guard let connection else { return }
        message.encoded().withUnsafeBytes { message in
            connection.sendOrFail(
                OutgoingFrame(.notice, operation: operation.rawValue, requestID: 0), message: message, payload: [])
        }
    }

    /// The handshake of `connection` is done.
    func opened(_ connection: Connection, hello: Hello) {
        self.connection = connection
        let frames = waiting
        waiting = []
        waitingBytes = 0
        for (id, frame) in frames where calls.isOpen(id) { connection.send(whole: frame) }
        delegate?.peerConnected(self, hello: hello)
    }

    /// Its open connection is gone.
    func lost() {
        connection = nil
        let delegate = self.delegate
        if dialler == nil { self.delegate = nil }
        failCalls()
        delegate?.peerDisconnected(self)
    }

    func refused(_ status: WireStatus) { delegate?.peer(self, refused: status) }

    /// Answers every open call.
    func failCalls() {
        waiting = []
        waitingBytes = 0
        for completion in calls.takeAll() { completion(.failed(.unreachable)) }
    }

    /// No more callbacks but the answers to the open calls, at the loop's next turn.
    func close() {
        delegate = nil
        connection = nil
        dialler?.close()
        dialler = nil
        loop.later { self.failCalls() }
    }

    /// Returns whether calls are left.
    func endExpiredCalls(now: MonotonicInstant) -> Bool {
        let expired = calls.takeExpired(now: now)
        if !expired.isEmpty, !waiting.isEmpty {
            waiting.removeAll { !calls.isOpen($0.id) }
            waitingBytes = waiting.reduce(0) { $0 + $1.frame.readableBytes }
        }
        for completion in expired { completion(.failed(.unreachable)) }
        isSwept = calls.count > 0
        return isSwept
    }
}
