import Logging
import ShoalPlacement
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The cluster map as this client knows it, and its connections to the nodes in it.
final class ClusterView: PeerDelegate {
    private let metadata: MetadataLink
    private let network: any Network
    private let limits: ClientLimits
    private let logger: Logger
    private(set) var map = ClusterMap()
    private var peers: [String: any Peer] = [:]
    private var generations: [String: ConnectionGeneration] = [:]
    private var mapWaiters: [() -> Void] = []
    private var reports: [NodeID: [() -> Void]] = [:]
    private var random: SplitMix64

    init(metadata: MetadataLink, network: any Network, limits: ClientLimits, seed: UInt64, logger: Logger) {
        random = SplitMix64(seed: seed)
        self.metadata = metadata
        self.network = network
        self.limits = limits
        self.logger = logger
    }

    /// Takes the map if it is newer; connections to nodes that have gone are closed.
    func adopt(_ newer: ClusterMap) {
        guard newer.epoch > map.epoch else { return }
        map = newer
        let addresses = Set(newer.nodes.map(\.address))
        for (address, peer) in peers where !addresses.contains(address) {
            peers[address] = nil
            network.close(peer)
        }
    }

    /// The connection to a node, made on first use; nil if the map does not know the node.
    func peer(_ node: NodeID) -> (any Peer)? {
        guard let description = map.node(node) else { return nil }
        let address = description.address
        if let peer = peers[address] { return peer }
        let peer = network.dial(
            address, failsFast: true,
            hello: { [unowned self] in
                let generation = (generations[address] ?? ConnectionGeneration(0)).next
                generations[address] = generation
                return Hello(
                    role: .client, cluster: metadata.cluster, session: metadata.session, generation: generation)
            }, delegate: self)
        peers[address] = peer
        return peer
    }

    /// Whether requests to this node travel on `peer`: false once this side has closed it.
    func isCurrent(_ peer: any Peer, of node: NodeID) -> Bool {
        guard let description = map.node(node) else { return false }
        return peers[description.address] === peer
    }

    /// The generation of the connection that requests to this node travel on.
    func generation(of node: NodeID) -> ConnectionGeneration {
        map.node(node).flatMap { generations[$0.address] } ?? ConnectionGeneration(0)
    }

    /// After the session has changed every connection introduces itself anew.
    func reconnectAll() {
        for peer in peers.values { network.close(peer) }
        peers = [:]
    }

    func close() { reconnectAll() }

    /// Fetches the map; `completion` runs when a newer one was adopted or there is none. Calls made meanwhile share one
    /// request.
    func refresh(completion: @escaping () -> Void) {
        mapWaiters.append(completion)
        guard mapWaiters.count == 1 else { return }
        metadata.request(.fetchMap, isChange: false, { SessionRequest(session: $0.session) }) { [self] reply in
            if case .success(let message) = reply.decode(MapMessage.self) { adopt(message.map) }
            let waiters = mapWaiters
            mapWaiters = []
            for waiter in waiters { waiter() }
        }
    }

    /// Tells the leader that a node does not answer; `completion` runs once the map has taken that into account.
    func report(_ node: NodeID, partition: PartitionID, completion: @escaping () -> Void) {
        if reports[node] != nil {
            reports[node]?.append(completion)
            return
        }
        reports[node] = [completion]
        logger.warning("node \(node) does not answer; reporting it")
        let epoch = map.epoch
        metadata.request(
            .reportNode, isChange: false, { _ in ReportNodeRequest(node: node, epoch: epoch, partition: partition) }
        ) { [self] reply in
            if case .success(let message) = reply.decode(MapMessage.self) { adopt(message.map) }
            let waiters = reports.removeValue(forKey: node) ?? []
            for waiter in waiters { waiter() }
        }
    }

    /// The in-sync node with the least outstanding work of two drawn at random (the power of two choices: Mitzenmacher
    /// 2001), leaving out `avoiding`.
    func readReplica(of partition: PartitionID, avoiding: Set<NodeID>) -> NodeID? {
        let candidates = map[partition].inSync.filter { node in
            !avoiding.contains(node) && map.node(node)?.isUp == true
        }
        guard candidates.count > 1 else { return candidates.first }
        let first = Int.random(in: 0..<candidates.count, using: &random)
        var second = Int.random(in: 0..<candidates.count - 1, using: &random)
        if second >= first { second += 1 }
        let load = { (node: NodeID) in self.peer(node).map { $0.isConnected ? $0.outstanding : .max } ?? .max }
        return load(candidates[first]) <= load(candidates[second]) ? candidates[first] : candidates[second]
    }
}
