import Glibc
import Logging
import NIOCore
import NIOPosix
import ShoalRPC
import ShoalTypes

/// Accepts connections on a loopback address, until `close` or the end of its loop.
///
/// The delegate is called on the loop and held as long as the listener. An inbound connection is one `Peer` from
/// `peerConnected` to `peerDisconnected`, the same object each time.
package final class Listener: Sendable {
    /// The address it listens on, with the real port if 0 was asked for.
    package let address: HostPort
    private let loop: Loop
    private let acceptor: Acceptor
    private let channel: any Channel

    /// Binds, and returns when connections are accepted. Blocks: never on the loop.
    /// - Throws: `.badAddress`, `.addressInUse`, `.notLoopback`, `.cannotListen`.
    package init(
        binding wanted: HostPort, loop: Loop, delegate: any ListenerDelegate, logger: Logger,
        limits: TransportLimits = .production, complaints: Complaints = .process
    ) throws(TransportError) {
        precondition(!loop.isCurrent, "binding blocks")
        let resolved = try SocketAddress(resolving: wanted)
        guard resolved.isLoopback else { throw .notLoopback(wanted) }
        let acceptor = Acceptor(
            loop: loop, delegate: delegate, limits: limits, logger: logger, complaints: complaints)
        self.loop = loop
        self.acceptor = acceptor
        do {
            channel = try ServerBootstrap(group: loop.eventLoop)
                .tuned(limits)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture { try acceptor.accept(channel) }
                }
                .bind(to: resolved).wait()
        } catch let error as IOError where error.errnoCode == EADDRINUSE {
            throw .addressInUse(wanted)
        } catch {
            throw .cannotListen(wanted, reason: "\(error)")
        }
        address = HostPort(host: wanted.host, port: UInt16(channel.localAddress?.port ?? Int(wanted.port)))
    }

    /// Closes one inbound connection, at the loop's next turn; its delegate is told. On the loop.
    package func close(_ peer: any Peer) {
        guard let peer = peer as? TransportPeer else { preconditionFailure("a listener closes peers that it accepted") }
        peer.connection?.failLater(.ended)
    }

    /// Stops accepting and closes every inbound connection. From any thread; off the loop it returns when that is done.
    package func close() {
        let closed = channel.close()
        let drained = closed.flatMapError { _ in closed.eventLoop.makeSucceededVoidFuture() }
            .map { self.loop.batch { self.acceptor.close() } }
        guard !loop.isCurrent else { return }
        do { try drained.wait() } catch { preconditionFailure("closing was made to succeed: \(error)") }
    }
}

extension SocketAddress {
    /// The first address of the host. Blocks while it is looked up.
    init(resolving address: HostPort) throws(TransportError) {
        if let literal = SocketAddress(literal: address) {
            self = literal
            return
        }
        do { self = try SocketAddress.makeAddressResolvingHost(address.host, port: Int(address.port)) } catch {
            throw .badAddress(address.description)
        }
    }

    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        switch self {
        case .v4: ipAddress?.hasPrefix("127.") == true
        case .v6: ipAddress == "::1"
        case .unixDomainSocket: false
        }
    }
}
