import Glibc
import Logging
import NIOCore
import NIOPosix
import ShoalTypes
import ShoalWire

/// Makes the connections of one dialled peer, one after the other, until it is closed.
// @unchecked Sendable: used on its loop's thread only.
final class Dialler: @unchecked Sendable {
    let peer: TransportPeer
    let hello: () -> Hello
    private let address: String
    private let failsFast: Bool
    private let logger: Logger
    private let complaints: Complaints
    private var connection: Connection?
    private var backoff: Interval
    private var hasFailed = false
    private var isClosed = false
    private var retry: Scheduled<Void>?

    init(
        peer: TransportPeer, address: String, failsFast: Bool, hello: @escaping () -> Hello, logger: Logger,
        complaints: Complaints
    ) {
        self.peer = peer
        self.address = address
        self.failsFast = failsFast
        self.hello = hello
        self.logger = logger
        self.complaints = complaints
        backoff = peer.limits.backoffMin
    }

    /// Whether a call that is made now may wait for a connection.
    var isHopeful: Bool { !isClosed && !(failsFast && hasFailed) }

    func connect() {
        guard !isClosed else { return }
        retry = nil
        let bootstrap = ClientBootstrap(group: peer.loop.eventLoop)
            .connectTimeout(.nanoseconds(peer.limits.connect.nanoseconds))
            .tuned(peer.limits)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = Connection(
                        loop: self.peer.loop, limits: self.peer.limits, role: .dialled(self), logger: self.logger,
                        complaints: self.complaints)
                    self.connection = connection
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
        connect(bootstrap).whenFailure { error in
            self.peer.loop.batch { self.attemptFailed(Self.words(error)) }
        }
    }

    /// NIO's errors, as the log is to say them.
    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case ChannelError.connectTimeout: "it did not answer"
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { words($0.error) } ?? "\(error.host) does not resolve"
        default: "\(error)"
        }
    }

    private func connect(_ bootstrap: ClientBootstrap) -> EventLoopFuture<any Channel> {
        let loop = peer.loop.eventLoop
        let target: HostPort
        do throws(TransportError) { target = try HostPort(parsing: address) } catch {
            return loop.makeFailedFuture(error)
        }
        // An address in digits needs no resolver, which would hop to another thread.
        guard let literal = SocketAddress(literal: target) else {
            return bootstrap.connect(host: target.host, port: Int(target.port))
        }
        return bootstrap.connect(to: literal)
    }

    /// The handshake is done.
    func opened() {
        hasFailed = false
        backoff = peer.limits.backoffMin
    }

    /// A TCP connection that was made is gone.
    func ended(_ connection: Connection, _ reason: CloseReason) {
        guard self.connection === connection, !isClosed else { return }
        if connection.wasOpen {
            self.connection = nil
            retryLater()
        } else {
            attemptFailed(reason.complaint ?? "it was closed before the handshake was done")
        }
    }

    private func attemptFailed(_ reason: String) {
        guard !isClosed else { return }
        connection = nil
        if hasFailed {
            logger.debug("Still no connection to \(address): \(reason)")
        } else {
            logger.info("No connection to \(address): \(reason); trying again until there is one")
        }
        hasFailed = true
        if failsFast { peer.failCalls() }
        retryLater()
    }

    private func retryLater() {
        guard !isClosed else { return }
        retry = peer.loop.eventLoop.scheduleTask(in: .nanoseconds(backoff.nanoseconds)) { self.connect() }
        backoff = min(backoff * 2, peer.limits.backoffMax)
    }

    /// The peer has been told; the connection goes at the loop's next turn.
    func close() {
        isClosed = true
        retry?.cancel()
        retry = nil
        connection?.failLater(.ended)
        connection = nil
    }
}

extension SocketAddress {
    /// Nil if the host is not an IPv4 or IPv6 address in digits.
    init?(literal address: HostPort) {
        do { try self.init(ipAddress: address.host, port: Int(address.port)) } catch { return nil }
    }
}
