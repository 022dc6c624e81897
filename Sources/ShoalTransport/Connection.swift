import Glibc
import Logging
import NIOCore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// One TCP connection: handshake, frames in, frames out.
// @unchecked Sendable: used on its loop's thread only, except `outbox`, which is a Mutex.
final class Connection: @unchecked Sendable {
    enum Role {
        case dialled(Dialler)
        case accepted(Acceptor)
    }
    enum State {
        case handshaking
        case open(TransportPeer)
        case closed
    }

    let loop: Loop
    let limits: TransportLimits
    let role: Role
    private let logger: Logger
    private let complaints: Complaints
    private(set) var state = State.handshaking
    /// The handshake was done at some time.
    private(set) var wasOpen = false
    var context: ChannelHandlerContext?
    private var handshakeTimer: Scheduled<Void>?
    private var partial = PartialFrame()

    // Output; see Connection+Output.swift.
    var output = ByteBuffer()
    /// `output` has been handed to the channel; it is reused if the channel has let go of it.
    var isOutputLent = false
    var isMarked = false
    var isWritable = true
    /// Written since the channel was last writable.
    var blockedBytes = 0
    var blockedReplyBytes = 0
    var unansweredRequests = 0
    var unansweredBytes = 0
    var isPaused = false
    var isReadWanted = false
    /// Read, but not looked at because the connection was paused then: at most what one turn of the loop reads.
    var deferredInput = ByteBuffer()
    let outbox = Outbox()

    init(loop: Loop, limits: TransportLimits, role: Role, logger: Logger, complaints: Complaints) {
        self.loop = loop
        self.limits = limits
        self.role = role
        self.logger = logger
        self.complaints = complaints
    }

    var isClosed: Bool { if case .closed = state { true } else { false } }

    /// The TCP connection is made.
    private func begin(_ context: ChannelHandlerContext) {
        handshakeTimer = loop.eventLoop.scheduleTask(in: .nanoseconds(limits.handshake.nanoseconds)) {
            self.fail(.handshakeTimedOut)
        }
        if case .dialled(let dialler) = role { sendHello(dialler.hello()) }
    }

    func open(_ peer: TransportPeer) {
        handshakeTimer?.cancel()
        handshakeTimer = nil
        state = .open(peer)
        wasOpen = true
    }

    /// Ends the connection, and tells its owners; on the loop, never from inside a call of theirs.
    func fail(_ reason: CloseReason) {
        guard !isClosed else { return }
        let before = state
        state = .closed
        handshakeTimer?.cancel()
        handshakeTimer = nil
        if let complaint = reason.complaint {
            let address = context?.remoteAddress.map(describe) ?? "an unknown address"
            let side = if case .dialled = role { "to" } else { "from" }
            complaints.log("Closed a connection \(side) \(address): \(complaint)", to: logger, now: loop.now)
        }
        context?.close(promise: nil)
        loop.batch {
            if case .open(let peer) = before { peer.lost() }
            switch role {
            case .dialled(let dialler): dialler.ended(self, reason)
            case .accepted(let acceptor): acceptor.ended(self)
            }
        }
    }

    /// As `fail`, from inside any call: at the loop's next turn.
    func failLater(_ reason: CloseReason) { loop.later { self.fail(reason) } }

    private func describe(_ address: SocketAddress) -> String {
        guard let host = address.ipAddress, let port = address.port else { return "\(address)" }
        return HostPort(host: host, port: UInt16(truncatingIfNeeded: port)).description
    }
}

extension Connection: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = Never
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin(context) }
    }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
    func channelActive(context: ChannelHandlerContext) { loop.batch { begin(context) } }
    func channelInactive(context: ChannelHandlerContext) { fail(.ended) }
    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(.failed(error)) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        guard !isPaused, deferredInput.readableBytes == 0 else {
            deferredInput.writeBuffer(&buffer)
            return
        }
        if case .accepted = role { loop.received(from: callerProcessor) } else { loop.received(from: nil) }
        loop.batch { buffer.withUnsafeReadableBytes { consume($0) } }
    }

    /// The processor that took the last packet in: on loopback the sender's, else the one that the network card
    /// interrupts (SO_INCOMING_CPU, socket(7)).
    private func callerProcessor() -> Int? {
        let option = ChannelOptions.Types.SocketOption(level: .socket, name: .init(rawValue: SO_INCOMING_CPU))
        // A channel that cannot say is no caller to follow.
        guard let processor = try? context?.channel.syncOptions?.getOption(option) else { return nil }
        return Int(processor)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable {
            blockedBytes = 0
            blockedReplyBytes = 0
            resumeIfPossible()
        }
    }

    func read(context: ChannelHandlerContext) {
        if isPaused { isReadWanted = true } else { context.read() }
    }
}

// Cutting the stream into frames.
extension Connection {
    /// Looks at bytes that were put off.
    func consumeDeferred() {
        guard !isPaused, !isClosed else { return }
        let bytes = deferredInput
        deferredInput = ByteBuffer()
        bytes.withUnsafeReadableBytes { consume($0) }
        if !isPaused, isReadWanted {
            isReadWanted = false
            context?.read()
        }
    }

    private func consume(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while !rest.isEmpty, !isClosed {
            guard !isPaused else {
                deferredInput.writeBytes(rest)
                return
            }
            if partial.isEmpty {
                guard rest.count >= FrameHeader.byteCount else { return partial.begin(rest, loop: loop) }
                guard let header = decodeHeader(rest) else { return }
                guard rest.count >= header.frameBytes else { return partial.begin(rest, header: header, loop: loop) }
                deliver(header, UnsafeRawBufferPointer(rebasing: rest[..<header.frameBytes]))
                rest = UnsafeRawBufferPointer(rebasing: rest[header.frameBytes...])
            } else {
                partial.take(from: &rest)
                guard partial.isFilled else { return }
                if partial.header == nil {
                    guard let header = partial.withBytes(decodeHeader) else { return }
                    partial.expect(header, loop: loop)
                    guard partial.isFilled else { continue }
                }
                guard let (header, frame) = partial.finish() else { return }
                frame.withUnsafeReadableBytes { deliver(header, $0) }
                loop.recycle(frame)
            }
        }
    }

    private func decodeHeader(_ bytes: UnsafeRawBufferPointer) -> FrameHeader? {
        do throws(WireError) {
            let header = try FrameHeader(decoding: bytes)
            if case .handshaking = state, header.frameBytes > limits.helloFrameBytesMax {
                fail(.notHello)
                return nil
            }
            return header
        } catch {
            fail(.badFrame(error))
            return nil
        }
    }

    private func deliver(_ header: FrameHeader, _ frame: UnsafeRawBufferPointer) {
        let messageEnd = FrameHeader.byteCount + Int(header.messageBytes)
        let message = UnsafeRawBufferPointer(rebasing: frame[FrameHeader.byteCount..<messageEnd])
        let payload = UnsafeRawBufferPointer(rebasing: frame[messageEnd...])
        guard FrameHeader.checksum(ofMessage: message) == header.messageChecksum else {
            return fail(.badFrame(.badMessageChecksum))
        }
        switch state {
        case .handshaking: receiveHello(header, message)
        case .open(let peer): receive(header, message, payload, peer)
        case .closed: break
        }
    }

    private func receive(
        _ header: FrameHeader, _ message: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer,
        _ peer: TransportPeer
    ) {
        let operation = Operation(rawValue: header.operation)
        switch header.kind {
        case .reply:
            guard let completion = peer.calls.take(header.requestID) else { return }
            completion(Reply(status: WireStatus(rawValue: header.status), message: message, payload: payload))
        case .notice:
            guard let operation, let delegate = peer.delegate else { return }
            delegate.peer(peer, notified: Request(operation: operation, message: message, payload: payload))
        case .request:
            guard let operation, operation != .hello, let delegate = peer.delegate else {
                return refuse(header, .badRequest)
            }
            guard unansweredRequests < limits.unansweredRequestsMax else { return refuse(header, .notReady) }
            unansweredRequests += 1
            unansweredBytes += header.frameBytes
            if unansweredBytes > limits.unansweredBytesMax { isPaused = true }
            delegate.peer(
                peer, received: Request(operation: operation, message: message, payload: payload),
                responder: ConnectionResponder(self, header))
        }
    }

    private func refuse(_ header: FrameHeader, _ status: WireStatus) {
        sendOrFail(
            OutgoingFrame(.reply, operation: header.operation, requestID: header.requestID, status: status),
            message: UnsafeRawBufferPointer(start: nil, count: 0), payload: [])
    }
}
