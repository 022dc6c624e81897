import Logging
import ShoalRPC
import ShoalWire

/// Dials over TCP from one loop. Used on that loop only.
///
/// A delegate is held until its peer is closed.
package final class LoopNetwork: Network {
    private let loop: Loop
    private let limits: TransportLimits
    private let logger: Logger
    private let complaints: Complaints

    package init(
        loop: Loop, logger: Logger, limits: TransportLimits = .production, complaints: Complaints = .process
    ) {
        self.loop = loop
        self.logger = logger
        self.limits = limits
        self.complaints = complaints
    }

    /// An address that is not `HOST:PORT` never connects, and is logged.
    package func dial(
        _ address: String, failsFast: Bool, hello: @escaping () -> Hello, delegate: any PeerDelegate
    ) -> any Peer {
        precondition(loop.isCurrent, "a loop dials its own connections")
        let peer = TransportPeer(loop: loop, limits: limits, delegate: delegate)
        let dialler = Dialler(
            peer: peer, address: address, failsFast: failsFast, hello: hello, logger: logger, complaints: complaints)
        peer.dialler = dialler
        loop.later { dialler.connect() }
        return peer
    }

    /// The delegate is not called again; open calls are answered `.unreachable` at the loop's next turn.
    package func close(_ peer: any Peer) {
        guard let peer = peer as? TransportPeer else { preconditionFailure("a network closes peers that it dialled") }
        peer.close()
    }
}
