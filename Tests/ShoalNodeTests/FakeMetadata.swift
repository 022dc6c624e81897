import Glibc
import Logging
import ShoalNode
import ShoalRPC
import ShoalTransport
import ShoalTypes
import ShoalWire
import Synchronization

/// As much of a metadata server as nodes see, on a loop of its own. Tests drive its map.
final class FakeMetadata: ListenerDelegate, @unchecked Sendable {  // state is touched on the loop only
    static let cluster = ClusterID(0xC0FFEE)
    let loop = Loop(name: "metadata")
    private var listener: Listener?
    private var map: ClusterMap
    private var peers: [ObjectIdentifier: any Peer] = [:]
    private var nodes: [ObjectIdentifier: NodeID] = [:]
    private var conditions: [(holds: (ClusterMap) -> Bool, met: Awaited<ClusterMap>)] = []
    private var isMute = false
    private var reportsSeen: [NodeID] = []

    init(partitions: Int, replicas: Int) throws {
        map = ClusterMap(epoch: Epoch(1), replicaCount: UInt8(replicas))
        map.partitions = Array(repeating: PartitionAssignment(replicas: [], changedAt: Epoch(1)), count: partitions)
        listener = try Listener(
            binding: HostPort(host: "127.0.0.1", port: 0), loop: loop, delegate: self, logger: quiet)
    }

    var address: HostPort {
        guard let listener else { preconditionFailure("closed") }
        return listener.address
    }

    func stop() {
        listener?.close()
        listener = nil
        onLoop { $0.held = [] }
        loop.shutDown()
    }

    // MARK: What tests call

    func onLoop<Value: Sendable>(_ body: @escaping @Sendable (FakeMetadata) -> Value) -> Value {
        let value = Awaited<Value>()
        loop.execute { value.set(body(self)) }
        return value.wait()
    }

    var currentMap: ClusterMap { onLoop { $0.map } }
    var reports: [NodeID] { onLoop { $0.reportsSeen } }

    /// Requests of nodes get no answer from now on.
    func mute() { onLoop { $0.isMute = true } }

    /// Changes the map, one epoch on, and tells the nodes if `publish`. `body` names the partitions it changed.
    @discardableResult
    func update(publish: Bool = true, _ body: @escaping @Sendable (inout ClusterMap) -> [Int]) -> ClusterMap {
        onLoop { fake in
            fake.change(publish: publish, body)
            return fake.map
        }
    }

    /// The map, as soon as `holds` is true of it.
    func wait(until holds: @escaping @Sendable (ClusterMap) -> Bool) -> ClusterMap {
        let met = Awaited<ClusterMap>()
        loop.execute { [self] in
            if holds(map) { met.set(map) } else { conditions.append((holds, met)) }
        }
        guard let map = met.wait(.seconds(60)) else { preconditionFailure("the map never became so") }
        return map
    }

    /// Sends deleteChunks to every node that is up; true if all answered ok.
    func delete(_ chunks: [ChunkID]) -> Bool {
        let outcome = Awaited<Bool>()
        loop.execute { [self] in
            let live = peers.filter { nodes[$0.key] != nil }.map(\.value)
            let gathered = Gathered(live.count) { outcome.set($0) }
            for peer in live {
                peer.call(
                    .deleteChunks, ChunkListRequest(epoch: map.epoch, chunks: chunks), deadline: .seconds(5)
                ) { gathered.add($0.status == .ok) }
            }
        }
        return outcome.wait()
    }

    private final class Gathered {
        private var remaining: Int
        private var all = true
        private let completion: (Bool) -> Void
        init(_ count: Int, _ completion: @escaping (Bool) -> Void) {
            remaining = count
            self.completion = completion
            if count == 0 { completion(true) }
        }
        func add(_ outcome: Bool) {
            all = all && outcome
            remaining -= 1
            if remaining == 0 { completion(all) }
        }
    }

    private func change(publish: Bool = true, _ body: (inout ClusterMap) -> [Int]) {
        let changed = body(&map)
        map.epoch = map.epoch.next
        for index in changed { map.partitions[index].changedAt = map.epoch }
        if publish { for peer in peers.values { peer.notify(.mapChanged, MapMessage(map: map)) } }
        let met = conditions.filter { $0.holds(map) }
        conditions.removeAll { $0.holds(map) }
        for condition in met { condition.met.set(map) }
    }

    // MARK: What nodes call

    func greet(_ hello: Hello) -> Result<Hello, WireStatus> {
        guard hello.cluster == .unknown || hello.cluster == FakeMetadata.cluster else { return .failure(.wrongCluster) }
        return .success(Hello(role: .metadata, cluster: FakeMetadata.cluster))
    }

    func peerConnected(_ peer: any Peer, hello: Hello) { peers[ObjectIdentifier(peer)] = peer }

    func peerDisconnected(_ peer: any Peer) {
        peers[ObjectIdentifier(peer)] = nil
        guard let node = nodes.removeValue(forKey: ObjectIdentifier(peer)), !nodes.values.contains(node) else { return }
        change { map in
            if let index = map.nodes.firstIndex(where: { $0.id == node }) { map.nodes[index].isUp = false }
            return map.replace(node, [.inSync, .syncing], with: .stale)
        }
    }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        guard !isMute else { return held.append(responder) }
        do throws(WireError) {
            switch request.operation {
            case .registerNode: register(try request.decode(), peer, responder)
            case .fetchMap: responder.reply(MapMessage(map: map))
            case .nodeHeartbeat: responder.reply(HeartbeatReply(epoch: map.epoch))
            case .partitionsSynced:
                let message: PartitionsSyncedRequest = try request.decode()
                responder.reply(.ok)
                markSynced(message)
            case .reportNode:
                let message: ReportNodeRequest = try request.decode()
                reportsSeen.append(message.node)
                change { map in map.replace(message.node, [.inSync, .syncing], with: .stale) }
                responder.reply(MapMessage(map: map))
            case .nodeLeaving: responder.reply(.ok)
            default: responder.reply(.badRequest)
            }
        } catch {
            responder.reply(.badRequest)
        }
    }
    private var held: [any Responder] = []

    private func register(_ message: RegisterNodeRequest, _ peer: any Peer, _ responder: any Responder) {
        let node = message.node == NodeID(0) ? NodeID(UInt32(map.nodes.count + 1)) : message.node
        nodes[ObjectIdentifier(peer)] = node
        let description = NodeDescription(
            id: node, address: message.address, zone: message.zone, weight: message.weight, isUp: true)
        change { map in
            map.nodes.removeAll { $0.id == node }
            map.nodes.append(description)
            return map.replace(node, [.stale], with: .syncing)
        }
        responder.reply(
            RegisterNodeReply(node: node, cluster: FakeMetadata.cluster, heartbeatMilliseconds: 100, map: map))
    }

    private func markSynced(_ message: PartitionsSyncedRequest) {
        change { map in
            message.partitions.map { Int($0.rawValue) }.filter { index in
                guard map.partitions[index].changedAt <= message.epoch,
                    let replica = map.partitions[index].replicas.firstIndex(where: { $0.node == message.node }),
                    map.partitions[index].replicas[replica].state == .syncing
                else { return false }
                map.partitions[index].replicas[replica].state = .inSync
                return true
            }
        }
    }
}

extension ClusterMap {
    /// Changes the state of the node's replicas, except where it would leave a partition without an in-sync one.
    /// Returns the partitions changed.
    mutating func replace(_ node: NodeID, _ states: [ReplicaState], with state: ReplicaState) -> [Int] {
        partitions.indices.filter { index in
            guard let replica = partitions[index].replicas.firstIndex(where: { $0.node == node }),
                states.contains(partitions[index].replicas[replica].state),
                state == .inSync || partitions[index].inSync != [node]
            else { return false }
            partitions[index].replicas[replica].state = state
            return true
        }
    }

    /// Everything is in sync.
    var isWhole: Bool { partitions.allSatisfy { $0.replicas.allSatisfy { $0.state == .inSync } } }
}

let quiet: Logger = {
    var logger = Logger(label: "test")
    logger.logLevel = getenv("SHOAL_TEST_LOG") == nil ? .critical : .debug
    return logger
}()
