import Logging
import NIOCore
import ShoalRPC
import ShoalTypes

/// The inbound connections of one listener.
// @unchecked Sendable: used on its loop's thread only.
final class Acceptor: @unchecked Sendable {
    let loop: Loop
    let delegate: any ListenerDelegate
    private let limits: TransportLimits
    private let logger: Logger
    private let complaints: Complaints
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var isClosed = false

    init(
        loop: Loop, delegate: any ListenerDelegate, limits: TransportLimits, logger: Logger, complaints: Complaints
    ) {
        self.loop = loop
        self.delegate = delegate
        self.limits = limits
        self.logger = logger
        self.complaints = complaints
    }

    /// - Throws: if there are too many connections; NIO then closes this one.
    func accept(_ channel: any Channel) throws {
        guard !isClosed, connections.count < limits.inboundConnectionsMax else {
            complaints.log("Closed a connection at once: \(connections.count) are open", to: logger, now: loop.now)
            throw ChannelError.alreadyClosed
        }
        let connection = Connection(
            loop: loop, limits: limits, role: .accepted(self), logger: logger, complaints: complaints)
        try channel.pipeline.syncOperations.addHandler(connection)
        connections[ObjectIdentifier(connection)] = connection
    }

    func ended(_ connection: Connection) { connections[ObjectIdentifier(connection)] = nil }

    /// Closes every connection.
    func close() {
        isClosed = true
        for connection in Array(connections.values) { connection.fail(.ended) }
    }
}
