import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// Reads messages from a descriptor that gives one whole message per read(2), such as `/dev/fuse`, on a loop.
///
/// `onMessage` gets each, valid only during the call; what it writes to connections leaves when it returns. `onEnd`
/// runs once, when the descriptor has ended or failed (a FUSE mount that is gone: ENODEV), or `close` was called.
package final class DescriptorReader: Sendable {
    private let closing: EventLoopFuture<any Channel>

    /// From any thread; the closures run on the loop. The reader owns `descriptor`, makes it non-blocking, and closes
    /// it. `sender` tells the thread that sent a message and waits for its answer, if any; it is asked now and then.
    package init(
        descriptor: CInt, bytesMax: Int, loop: Loop, sender: @escaping (UnsafeRawBufferPointer) -> pid_t?,
        onMessage: @escaping (UnsafeRawBufferPointer) -> Void, onEnd: @escaping () -> Void
    ) {
        let handler = DescriptorHandler(loop: loop, sender: sender, onMessage: onMessage, onEnd: onEnd)
        closing = NIOPipeBootstrap(group: loop.eventLoop)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: bytesMax))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(handler) }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
        closing.whenFailure { _ in handler.end() }
    }

    /// Closes the descriptor. From any thread.
    package func close() {
        closing.whenSuccess { $0.close(promise: nil) }
    }
}

// @unchecked Sendable: used on its loop's thread only.
private final class DescriptorHandler: ChannelInboundHandler, @unchecked Sendable {
    typealias InboundIn = ByteBuffer
    private let loop: Loop
    private let sender: (UnsafeRawBufferPointer) -> pid_t?
    private var onMessage: ((UnsafeRawBufferPointer) -> Void)?
    private var onEnd: (() -> Void)?

    init(
        loop: Loop, sender: @escaping (UnsafeRawBufferPointer) -> pid_t?,
        onMessage: @escaping (UnsafeRawBufferPointer) -> Void, onEnd: @escaping () -> Void
    ) {
        self.loop = loop
        self.sender = sender
        self.onMessage = onMessage
        self.onEnd = onEnd
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let onMessage else { return }
        let message = unwrapInboundIn(data)
        loop.received {
            message.withUnsafeReadableBytes(self.sender).flatMap(ProcessorSet.processor(ofThread:))
        }
        loop.batch { message.withUnsafeReadableBytes(onMessage) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    func channelInactive(context: ChannelHandlerContext) { end() }

    func end() {
        let onEnd = self.onEnd
        self.onEnd = nil
        onMessage = nil
        guard let onEnd else { return }
        loop.batch(onEnd)
    }
}
