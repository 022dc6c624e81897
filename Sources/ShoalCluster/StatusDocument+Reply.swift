import ShoalTypes
import ShoalWire

extension StatusDocument {
    /// - Parameter address: Where the answer came from.
    package init(_ reply: ClusterStatusReply, address: String) {
        let map = reply.map
        cluster = "\(reply.cluster)"
        epoch = map.epoch.rawValue
        replicas = Int(map.replicaCount)
        partitions = map.partitions.count
        metadata = Metadata(
            address: address, inodes: reply.inodes, requests: reply.requests,
            requestsPerSecond: reply.requestsPerSecond.finite, reclaimQueue: reply.reclaimQueue,
            fencedSessions: map.fenced.count)
        let nodes = Self.nodes(map, reply.usages)
        self.nodes = nodes
        sessions = reply.sessions.sorted { $0.id < $1.id }.map {
            Session(
                id: $0.id.rawValue, label: $0.label, leases: $0.leases, silentMilliseconds: $0.silentMilliseconds)
        }
        totals = Self.totals(map, nodes)
    }

    private static func nodes(_ map: ClusterMap, _ usages: [ClusterStatusReply.Node]) -> [Node] {
        var held: [NodeID: Replicas] = [:]
        for replica in map.partitions.flatMap(\.replicas) {
            switch replica.state {
            case .inSync: held[replica.node, default: Replicas()].inSync += 1
            case .syncing: held[replica.node, default: Replicas()].syncing += 1
            case .stale: held[replica.node, default: Replicas()].stale += 1
            }
        }
        return map.nodes.sorted { $0.id < $1.id }.map { node in
            let usage = usages.first { $0.id == node.id }?.usage ?? NodeUsage()
            return Node(
                id: node.id.rawValue, address: node.address, zone: node.zone, weight: node.weight.finite,
                state: node.isUp ? "up" : node.weight == 0 ? "replaced" : "down",
                bytesTotal: usage.bytesTotal, bytesUsed: usage.bytesTotal - min(usage.bytesFree, usage.bytesTotal),
                bytesFree: usage.bytesFree, chunks: usage.chunks, partitions: held[node.id] ?? Replicas(),
                requestsPerSecond: usage.requestsPerSecond.finite, reads: usage.reads, writes: usage.writes,
                bytesRead: usage.bytesRead, bytesWritten: usage.bytesWritten, corruptChunks: usage.corruptChunks,
                repairedChunks: usage.repairedChunks)
        }
    }

    private static func totals(_ map: ClusterMap, _ nodes: [Node]) -> Totals {
        let up = Set(map.nodes.filter(\.isUp).map(\.id))
        var totals = Totals(
            nodes: nodes.count, nodesUp: up.count, bytesTotal: 0, bytesUsed: 0, bytesFree: 0, chunks: 0,
            requestsPerSecond: nodes.reduce(0) { $0 + $1.requestsPerSecond }.finite, partitionsWhole: 0,
            partitionsDegraded: 0, partitionsUnavailable: 0)
        for node in nodes {
            // The numbers come from other machines: adding them must not trap.
            totals.bytesTotal = totals.bytesTotal.addingSaturated(node.bytesTotal)
            totals.bytesUsed = totals.bytesUsed.addingSaturated(node.bytesUsed)
            totals.bytesFree = totals.bytesFree.addingSaturated(node.bytesFree)
            totals.chunks = totals.chunks.addingSaturated(node.chunks)
        }
        for partition in map.partitions {
            switch partition.inSync.count(where: up.contains) {
            case 0: totals.partitionsUnavailable += 1
            case ..<Int(map.replicaCount): totals.partitionsDegraded += 1
            default: totals.partitionsWhole += 1
            }
        }
        return totals
    }
}

extension Double {
    fileprivate var finite: Double { isFinite ? self : 0 }
}

extension UInt64 {
    fileprivate func addingSaturated(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
