import ShoalRPC
import ShoalTypes
import ShoalWire

/// Connections to the other nodes, dialled at the first need and kept while the map has the node at that address.
final class NodePeers: PeerDelegate {
    private let network: any Network
    private let hello: () -> Hello
    private var peers: [NodeID: (address: String, peer: any Peer)] = [:]

    init(network: any Network, hello: @escaping () -> Hello) {
        self.network = network
        self.hello = hello
    }

    /// nil if the map does not know the node.
    func peer(_ node: NodeID, map: ClusterMap) -> (any Peer)? {
        guard let description = map.node(node) else { return nil }
        if let known = peers[node], known.address == description.address { return known.peer }
        if let moved = peers.removeValue(forKey: node) { network.close(moved.peer) }
        let peer = network.dial(description.address, failsFast: true, hello: hello, delegate: self)
        peers[node] = (description.address, peer)
        return peer
    }

    /// Drops the connections to nodes that the map no longer has there.
    func prune(_ map: ClusterMap) {
        for (node, known) in peers where map.node(node)?.address != known.address {
            network.close(known.peer)
            peers[node] = nil
        }
    }

    func closeAll() {
        for known in peers.values { network.close(known.peer) }
        peers = [:]
    }
}
