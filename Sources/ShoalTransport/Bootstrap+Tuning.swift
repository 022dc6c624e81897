import NIOCore
import NIOPosix

// What every connection has set, whichever side made it.
extension TransportLimits {
    var waterMark: ChannelOptions.Types.WriteBufferWaterMark {
        ChannelOptions.Types.WriteBufferWaterMark(low: outputBytesLow, high: outputBytesHigh)
    }
    static let receiveAllocator = FixedSizeRecvByteBufferAllocator(capacity: receiveBytes)
    /// Then other connections have their turn.
    static let readsPerTurn: UInt = 4
}

extension ClientBootstrap {
    func tuned(_ limits: TransportLimits) -> ClientBootstrap {
        channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .channelOption(.recvAllocator, value: TransportLimits.receiveAllocator)
            .channelOption(.maxMessagesPerRead, value: TransportLimits.readsPerTurn)
            .channelOption(.writeBufferWaterMark, value: limits.waterMark)
    }
}

extension ServerBootstrap {
    func tuned(_ limits: TransportLimits) -> ServerBootstrap {
        serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.recvAllocator, value: TransportLimits.receiveAllocator)
            .childChannelOption(.maxMessagesPerRead, value: TransportLimits.readsPerTurn)
            .childChannelOption(.writeBufferWaterMark, value: limits.waterMark)
    }
}
