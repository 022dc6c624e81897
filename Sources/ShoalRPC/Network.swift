import ShoalWire

/// What a side of a connection is told. Everything is called on the loop that owns it.
package protocol PeerDelegate: AnyObject {
    /// The handshake is done; `hello` is the other side's.
    func peerConnected(_ peer: any Peer, hello: Hello)
    /// The connection is gone; every open call has been answered `.unreachable`. A dialled peer connects again by
    /// itself.
    func peerDisconnected(_ peer: any Peer)
    func peer(_ peer: any Peer, received request: Request, responder: any Responder)
    func peer(_ peer: any Peer, notified notice: Request)
    /// The other side refused the handshake (`.wrongCluster`, `.unknownSession`, ...). A dialled peer keeps trying.
    func peer(_ peer: any Peer, refused status: WireStatus)
}

extension PeerDelegate {
    package func peerConnected(_ peer: any Peer, hello: Hello) {}
    package func peerDisconnected(_ peer: any Peer) {}
    package func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        responder.reply(.badRequest)
    }
    package func peer(_ peer: any Peer, notified notice: Request) {}
    package func peer(_ peer: any Peer, refused status: WireStatus) {}
}

/// A side that listens decides who may come in.
package protocol ListenerDelegate: PeerDelegate {
    /// The hello to answer with, or the refusal.
    func greet(_ hello: Hello) -> Result<Hello, WireStatus>
}

/// Makes connections for a loop. Production: SwiftNIO (`ShoalTransport`); tests and simulation: in memory.
package protocol Network: AnyObject {
    /// Dials `address` (`HOST:PORT`) at once, and again with backoff whenever the connection is lost, until `close`.
    /// Calls made while it is not connected wait for the connection until their deadline, except that with
    /// `failsFast` they are answered `.unreachable` as soon as an attempt to connect has failed. `hello` is asked for
    /// the first message of each connection.
    func dial(_ address: String, failsFast: Bool, hello: @escaping () -> Hello, delegate: any PeerDelegate) -> any Peer
    func close(_ peer: any Peer)
}
