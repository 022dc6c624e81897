import Logging
import ShoalChunkStore
import ShoalRPC
import ShoalTypes
import ShoalWire

/// The node's connection to the metadata leader: it registers on every connection, then sends a heartbeat each
/// second, and hears of new maps and of chunks to delete.
final class MetadataLink: PeerDelegate, @unchecked Sendable {  // confined to the loop
    private enum State {
        case disconnected
        case registering
        case registered
    }
    private unowned let core: NodeCore
    private var peer: (any Peer)?
    private var state = State.disconnected
    private var heartbeat = Interval.seconds(1)
    /// Counts connections, so that a timer of an earlier one has no effect.
    private var connection = 0
    private var lastRotation: MonotonicInstant
    private var hasComplained = false
    /// A map was announced while the answer to the registration was being worked on.
    private var hasMissedMap = false

    init(core: NodeCore) {
        self.core = core
        lastRotation = core.scheduler.now
    }

    func start() {
        peer = core.network.dial(
            core.configuration.metadataAddress, failsFast: false, hello: { [unowned core] in core.hello },
            delegate: self)
    }

    func close() {
        if let peer { core.network.close(peer) }
        peer = nil
        state = .disconnected
    }

    /// nil if the leader did not answer in time.
    func fetchMap(deadline: Interval, completion: @escaping (ClusterMap?) -> Void) {
        guard let peer else { return completion(nil) }
        peer.call(.fetchMap, Empty(), deadline: deadline) { reply in
            switch reply.decode(MapMessage.self) {
            case .success(let message): completion(message.map)
            case .failure: completion(nil)
            }
        }
    }

    /// Tells the leader which partitions have caught up; false if it has to be told again.
    func reportSynced(_ partitions: [PartitionID], completion: @escaping (Bool) -> Void) {
        guard let peer else { return completion(false) }
        let message = PartitionsSyncedRequest(
            node: core.admission.node, epoch: core.map.epoch, partitions: partitions)
        peer.call(.partitionsSynced, message, deadline: core.limits.peerDeadline) { completion($0.status == .ok) }
    }

    /// Asks the leader to stop counting on this node.
    func reportSelf() {
        let message = ReportNodeRequest(node: core.admission.node, epoch: core.map.epoch, partition: PartitionID(0))
        peer?.call(.reportNode, message, deadline: core.limits.peerDeadline) { [weak core] reply in
            if case .success(let message) = reply.decode(MapMessage.self) { core?.apply(message.map) }
        }
    }

    /// The goodbye of a clean stop; `completion` runs when the leader has answered, or has not in time.
    func leave(completion: @escaping () -> Void) {
        guard let peer, state == .registered else { return completion() }
        peer.call(.nodeLeaving, NodeRequest(node: core.admission.node), deadline: core.limits.leaveWait) { _ in
            completion()
        }
    }

    func peerConnected(_ peer: any Peer, hello: Hello) {
        connection += 1
        hasComplained = false
        if let own = core.identity?.cluster, hello.cluster != .unknown, hello.cluster != own {
            return refuse(.wrongCluster(directory: core.configuration.directory, own: own, met: hello.cluster))
        }
        register()
    }

    func peerDisconnected(_ peer: any Peer) {
        state = .disconnected
        core.logger.warning("lost the metadata server")
    }

    func peer(_ peer: any Peer, refused status: WireStatus) {
        switch status {
        case .wrongCluster:
            let own = core.identity?.cluster ?? .unknown
            refuse(.wrongCluster(directory: core.configuration.directory, own: own, met: .unknown))
        case .notReady, .unreachable: break
        default: refuse(.refused(metadata: core.configuration.metadataAddress, reason: "\(status)"))
        }
    }

    func peer(_ peer: any Peer, notified notice: Request) {
        guard notice.operation == .mapChanged else { return }
        guard state == .registered else {
            hasMissedMap = true
            return
        }
        do throws(WireError) {
            let message: MapMessage = try notice.decode()
            core.apply(message.map)
        } catch {
            core.logger.error("the metadata server sent a map that does not decode")
        }
    }

    func peer(_ peer: any Peer, received request: Request, responder: any Responder) {
        guard request.operation == .deleteChunks else { return responder.reply(.badRequest) }
        do throws(WireError) { core.delete(try request.decode(), responder) } catch { responder.reply(.badRequest) }
    }

    private func refuse(_ error: NodeError) {
        if let onStart = core.onStart {
            core.onStart = nil
            onStart(.failure(error))
        } else if !hasComplained {
            hasComplained = true
            core.logger.error("\(error)")
        }
    }

    private func register() {
        state = .registering
        hasMissedMap = false
        var message = RegisterNodeRequest()
        message.node = core.admission.node
        message.cluster = core.identity?.cluster ?? .unknown
        message.address = core.configuration.address
        message.zone = core.configuration.zone
        message.weight = core.configuration.weight
        message.usage = core.currentUsage()
        message.isIntact = core.threads.store.wasShutDownCleanlyOrSameBoot && !core.admission.isStoreBad
        let current = connection
        peer?.call(.registerNode, message, deadline: core.limits.peerDeadline) { [self] reply in
            guard current == connection, !core.isStopping else { return }
            switch reply.decode(RegisterNodeReply.self) {
            case .success(let answer): settle(answer)
            case .failure(.wrongCluster):
                refuse(
                    .wrongCluster(
                        directory: core.configuration.directory, own: core.identity?.cluster ?? .unknown, met: .unknown)
                )
            case .failure(let status):
                // Not ready yet, or the connection went: a lost one comes back by itself.
                if status != .notReady, status != .unreachable {
                    core.logger.warning("the metadata server did not take this node in: \(status)")
                }
                core.scheduler.schedule(after: core.limits.retryPause) { [weak self] in
                    guard let self, current == connection, state == .registering else { return }
                    register()
                }
            }
        }
    }

    /// What must be durable before the node serves: a new node's identity, and that the leader has been told of a loss.
    private func settle(_ answer: RegisterNodeReply) {
        let identity = NodeIdentity(cluster: answer.cluster, node: answer.node)
        if let own = core.identity, own.cluster != answer.cluster {
            return refuse(
                .wrongCluster(directory: core.configuration.directory, own: own.cluster, met: answer.cluster))
        }
        let isNew = core.identity != identity
        guard isNew || !core.threads.store.wasShutDownCleanlyOrSameBoot else { return complete(answer) }
        let core = core
        core.threads.scan { store in
            let failure: NodeError?
            do {
                if isNew { try core.saveIdentity(identity) }
                try store.confirmLossReported()
                failure = nil
            } catch let error as NodeError {
                failure = error
            } catch let error as ChunkStoreError {
                failure = .store(error)
            } catch {
                preconditionFailure("an error of another type: \(error)")
            }
            core.post {
                if let failure { return core.link.refuse(failure) }
                core.identity = identity
                core.link.complete(answer)
            }
        }
    }

    private func complete(_ answer: RegisterNodeReply) {
        guard state == .registering else { return }
        state = .registered
        core.logger.info("registered as node \(answer.node)", metadata: ["epoch": "\(answer.map.epoch)"])
        heartbeat = .milliseconds(Int64(max(10, answer.heartbeatMilliseconds)))
        core.admission.register(as: answer.node)
        core.apply(answer.map)
        if hasMissedMap { core.fetchMap() }
        scheduleHeartbeat(of: connection)
        core.onStart?(.success(()))
        core.onStart = nil
    }

    private func scheduleHeartbeat(of current: Int) {
        core.scheduler.schedule(after: heartbeat) { [weak self] in
            guard let self, current == connection, state == .registered else { return }
            beat(current)
            scheduleHeartbeat(of: current)
        }
    }

    private func beat(_ current: Int) {
        let message = NodeHeartbeatRequest(node: core.admission.node, usage: core.currentUsage())
        peer?.call(.nodeHeartbeat, message, deadline: core.limits.peerDeadline) { [weak self] reply in
            guard let self, current == connection, state == .registered else { return }
            switch reply.status {
            case .ok:
                let now = core.scheduler.now
                if now - lastRotation >= core.limits.writtenChunksAge {
                    lastRotation = now
                    core.written.rotate()
                }
                if case .success(let answer) = reply.decode(HeartbeatReply.self), answer.epoch > core.map.epoch {
                    core.fetchMap()
                }
            case .unreachable, .notReady: break
            default:
                // The leader does not know this node as registered any more.
                register()
            }
        }
    }
}
