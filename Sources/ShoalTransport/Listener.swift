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
        let resolved = try Self.checked(wanted)
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
        } catch let error as IOError {
            throw Self.refused(wanted, error.errnoCode)
        } catch {
            throw .cannotListen(wanted, reason: "\(error)")
        }
        address = HostPort(host: wanted.host, port: UInt16(channel.localAddress?.port ?? Int(wanted.port)))
    }

    /// Refuses an address that a listener could not bind now; for before anything else is touched. Blocks while a name
    /// is looked up.
    /// - Throws: `.badAddress`, `.addressInUse`, `.notLoopback`, `.cannotListen`.
    package static func check(_ wanted: HostPort) throws(TransportError) {
        let resolved = try checked(wanted)
        let descriptor = socket(CInt(resolved.protocol.rawValue), CInt(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw refused(wanted, errno) }
        defer { Glibc.close(descriptor) }
        // As the listener: connections that linger from an earlier run do not count.
        var on: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<CInt>.size))
        let result = resolved.withSockAddr { address, length in bind(descriptor, address, socklen_t(length)) }
        guard result == 0 else { throw refused(wanted, errno) }
    }

    private static func refused(_ wanted: HostPort, _ code: CInt) -> TransportError {
        code == EADDRINUSE ? .addressInUse(wanted) : .cannotListen(wanted, reason: String(cString: strerror(code)))
    }

    private static func checked(_ wanted: HostPort) throws(TransportError) -> SocketAddress {
        let resolved = try SocketAddress(resolving: wanted)
        guard resolved.isLoopback else { throw .notLoopback(wanted) }
        return resolved
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
