import NIOCore
import ShoalWire

// Frames out. Short ones are gathered in one buffer and leave together at the end of the loop's callback.
extension Connection {
    /// The other side takes what it is sent, or not too much is waiting.
    ///
    /// `blockedBytes` only grows while the channel is not writable; what has left meanwhile counts once that estimate
    /// is at the limit.
    var hasRoom: Bool {
        if blockedBytes < limits.outputBytesMax { return true }
        blockedBytes = pendingBytes
        return blockedBytes < limits.outputBytesMax
    }

    /// Bytes that the socket has not taken.
    private var pendingBytes: Int {
        guard let options = context?.channel.syncOptions else { return 0 }
        do { return try options.getOption(.bufferedWritableBytes) } catch { return blockedBytes }
    }

    /// Copies and sends a frame; not dropped but for a closed connection.
    func send(_ frame: OutgoingFrame, message: UnsafeRawBufferPointer, payload: [UnsafeRawBufferPointer]) {
        guard let context, !isClosed else { return }
        let bytes = payload.reduce(FrameHeader.byteCount + message.count) { $0 + $1.count }
        count(bytes, isReply: frame.kind == .reply)
        guard bytes <= TransportLimits.sharedFrameBytesMax else {
            return write(whole: frame.assembled(message: message, payload: payload), context)
        }
        if isOutputLent {
            output.clear()
            isOutputLent = false
        }
        frame.write(message: message, payload: payload, to: &output)
        if output.readableBytes >= TransportLimits.sharedOutputBytesMax { handOver(context) }
        mark()
    }

    /// A reply or notice: closes the connection if the other side does not take what it is sent.
    func sendOrFail(_ frame: OutgoingFrame, message: UnsafeRawBufferPointer, payload: [UnsafeRawBufferPointer]) {
        guard hasRoom else { return failLater(.outputFull) }
        send(frame, message: message, payload: payload)
    }

    /// Sends a frame that is already put together.
    func send(whole frame: ByteBuffer, isReply: Bool = false) {
        guard let context, !isClosed else { return }
        count(frame.readableBytes, isReply: isReply)
        write(whole: frame, context)
    }

    private func write(whole frame: ByteBuffer, _ context: ChannelHandlerContext) {
        if !isOutputLent, output.readableBytes > 0 { handOver(context) }
        context.write(wrapOutboundOut(frame), promise: nil)
        mark()
    }

    private func handOver(_ context: ChannelHandlerContext) {
        isOutputLent = true
        context.write(wrapOutboundOut(output), promise: nil)
    }

    private func mark() {
        guard !isMarked else { return }
        isMarked = true
        loop.needsFlush(self)
    }

    func flush() {
        isMarked = false
        guard let context, !isClosed else { return }
        if !isOutputLent, output.readableBytes > 0 {
            isOutputLent = true
            context.writeAndFlush(wrapOutboundOut(output), promise: nil)
        } else {
            context.flush()
        }
    }
}

// Backpressure.
extension Connection {
    private func count(_ bytes: Int, isReply: Bool) {
        guard !isWritable else { return }
        blockedBytes += bytes
        guard isReply else { return }
        blockedReplyBytes += bytes
        if blockedReplyBytes >= limits.outputBytesHigh { isPaused = true }
    }

    /// A request of `bytes` bytes has got its reply.
    func answered(_ bytes: Int) {
        unansweredRequests -= 1
        unansweredBytes -= bytes
        if isPaused { resumeIfPossible() }
    }

    func resumeIfPossible() {
        guard isPaused, unansweredBytes <= limits.unansweredBytesMax / 2,
            blockedReplyBytes < limits.outputBytesHigh
        else { return }
        isPaused = false
        loop.later { self.consumeDeferred() }
    }
}
