import ShoalPlacement
import ShoalTypes
import ShoalWire

/// Storage nodes come, report, fail and are replaced; the map says what that means for their replicas.
extension MetadataCore {
    /// A node that this cluster does not know is given a number; one that says it had one here, and is not known, comes
    /// from elsewhere.
    func registerNode(_ message: RegisterNodeRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard sessions.connection(connection)?.role == .node, message.weight.isFinite, message.weight >= 0 else {
            return reply(request, .badRequest)
        }
        let isForeign = message.cluster != .unknown && message.cluster != namespace.cluster
        guard !isForeign, message.node == NodeID(0) || keeper.map.node(message.node) != nil else {
            return reply(request, .wrongCluster)
        }
        var id = message.node
        if id == NodeID(0) { id = (keeper.map.nodes.map(\.id).max() ?? NodeID(0)).next }
        if let former = nodes[id]?.connection, former != connection {
            sessions.setNode(former, nil)
            act(.close(former))
        }
        let description = NodeDescription(
            id: id, address: message.address, zone: message.zone, weight: message.weight, isUp: true)
        let partitionCount = keeper.partitionCount
        keeper.change {
            $0.register(description, isIntact: message.isIntact, partitionCount: partitionCount)
        }
        nodes[id] = NodeTable.Node(connection: connection, usage: message.usage, lastHeard: now)
        sessions.setNode(connection, id)
        note(.nodeRegistered(id, address: message.address))
        keeper.await(.registered(request, id))
    }

    /// A node that is not registered on this connection is told so (`.unknownSession`): it registers again.
    func nodeHeartbeat(_ message: NodeHeartbeatRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard nodes[message.node]?.connection == connection else { return reply(request, .unknownSession) }
        nodes[message.node]?.lastHeard = now
        nodes[message.node]?.usage = message.usage
        reply(request, HeartbeatReply(epoch: keeper.durable.epoch))
    }

    /// Counts only where the partition has not changed since the epoch that the node caught up under: it may have been
    /// out in between. The answer is the map, in which a partition that is still syncing has to be compared again.
    func partitionsSynced(_ message: PartitionsSyncedRequest, _ request: RequestID, _ connection: ConnectionID) {
        guard nodes[message.node]?.connection == connection else { return reply(request, .unknownSession) }
        let partitions = message.partitions.filter { partition in
            Int(partition.rawValue) < keeper.map.partitions.count
                && keeper.map[partition].changedAt <= message.epoch
        }
        keeper.change { $0.markSynced(message.node, partitions: partitions) }
        keeper.await(.map(request))
    }

    func nodeLeaving(_ node: NodeID, _ request: RequestID, _ connection: ConnectionID) {
        guard nodes[node]?.connection == connection else { return reply(request, .unknownSession) }
        markDown(node, .leaving)
        keeper.await(.map(request))
    }

    /// A client could not reach a node, or waited too long for it; it is answered at once if its map is behind. Or a
    /// node cannot trust its own store: it is out until it registers again.
    func reportNode(_ message: ReportNodeRequest, _ request: RequestID, _ connection: ConnectionID) {
        if nodes[message.node]?.connection == connection {
            markDown(message.node, .leaving)
            return keeper.await(.map(request))
        }
        guard let session = sessions.connection(connection)?.session else { return reply(request, .unknownSession) }
        let index = Int(message.partition.rawValue)
        let map = keeper.map
        guard index < map.partitions.count, map.partitions[index].changedAt <= message.epoch,
            let state = map.partitions[index].state(of: message.node), state != .stale,
            state != .inSync || map.partitions[index].inSync.count > 1
        else {
            // Wrong, too late, or the last one in sync: it cannot be spared.
            return keeper.await(.map(request))
        }
        let isConnected = nodes[message.node]?.connection != nil
        markDown(message.node, .reported(by: session.id))
        if isConnected { nodes[message.node]?.reportedAt = now }
        keeper.await(.map(request))
    }

    private func markDown(_ id: NodeID, _ reason: MetadataEvent.NodeDownReason) {
        nodes[id]?.lostAt = nil
        nodes[id]?.reportedAt = nil
        if nodes[id]?.downSince == nil { nodes[id]?.downSince = now }
        if keeper.change({ $0.markDown(id) }) { note(.nodeDown(id, reason: reason)) }
    }

    func tickNodes() {
        for (id, node) in nodes.inOrder {
            if let lostAt = node.lostAt, now >= lostAt {
                markDown(id, .disconnected)
            } else if let reportedAt = node.reportedAt, node.connection != nil {
                // It has given a sign of life since, and had a moment to recover.
                guard now - reportedAt >= limits.nodeReportPause, node.lastHeard > reportedAt else { continue }
                nodes[id]?.reportedAt = nil
                nodes[id]?.downSince = nil
                keeper.change { $0.beginSync(id) }
            } else if let connection = node.connection, node.downSince == nil,
                now - node.lastHeard > limits.nodeSilenceMax
            {
                // It registers again on its next connection.
                markDown(id, .silent)
                nodes[id]?.connection = nil
                sessions.setNode(connection, nil)
                act(.close(connection))
            } else if let downSince = node.downSince, now - downSince >= limits.nodeReplacementDelay {
                if keeper.change({ $0.replace(down: id) }) { note(.nodeReplaced(id)) }
            }
        }
    }

    /// Some node that is up has little space left, or has not said yet how much it has: writers had better wait for the
    /// nodes before they believe that their bytes fit.
    var isSpaceLow: Bool {
        nodes.inOrder.contains { id, node in
            keeper.durable.node(id)?.isUp == true && node.usage.bytesFree < limits.spaceLowBytes
        }
    }

    /// Space as users see it: what the nodes have, divided by the number of replicas.
    func space() -> (total: UInt64, free: UInt64) {
        var total: UInt64 = 0
        var free: UInt64 = 0
        for (id, node) in nodes.inOrder where keeper.durable.node(id)?.isUp == true {
            total &+= node.usage.bytesTotal
            free &+= node.usage.bytesFree
        }
        let replicas = UInt64(max(1, keeper.durable.replicaCount))
        return (total / replicas, free / replicas)
    }
}
