import ShoalTypes
import ShoalWire

/// Connections come and go; a session outlives them.
extension MetadataCore {
    /// The answer to a hello. A session that is not known (any more) may come in: it is told with its first request.
    package func greet(_ hello: Hello) -> Result<Hello, WireStatus> {
        guard hello.cluster == .unknown || hello.cluster == namespace.cluster else { return .failure(.wrongCluster) }
        guard hello.role != .metadata else { return .failure(.badRequest) }
        return .success(Hello(role: .metadata, cluster: namespace.cluster))
    }

    package func connectionOpened(_ connection: ConnectionID, hello: Hello, at moment: Moment) {
        advance(to: moment)
        sessions.insert(connection, role: hello.role)
        if let session = sessions[hello.session], session.phase != .ending {
            if hello.generation < session.generation {
                // The bytes of an older connection arrive after those of its successor.
                _ = sessions.remove(connection)
                act(.close(connection))
            } else {
                takeOver(session, hello.generation, on: connection)
            }
        }
        settle()
    }

    private func takeOver(_ session: Session, _ generation: ConnectionGeneration, on connection: ConnectionID) {
        if let former = session.connection {
            lost(former)
            act(.close(former))
        }
        session.generation = generation
        sessions.attach(session, to: connection)
        session.claims = [:]
        session.lockClaims = []
        if session.phase == .active { session.phase = .reclaiming }
    }

    package func connectionClosed(_ connection: ConnectionID, at moment: Moment) {
        advance(to: moment)
        lost(connection)
        settle()
    }

    /// The leases of its session stand; its waiting requests are dropped, as the session sends them again.
    private func lost(_ id: ConnectionID) {
        guard let connection = sessions.remove(id) else { return }
        if let session = connection.session { detach(session) }
        if let node = connection.node, nodes[node]?.connection == id {
            nodes[node]?.connection = nil
            if nodes[node]?.downSince == nil { nodes[node]?.lostAt = now + limits.nodeReconnectGrace }
        }
    }

    func detach(_ session: Session) {
        recalls.connectionLost(by: session.id)
        dropWaiting(of: session, .unreachable)
    }

    /// Answers the session's waiting requests without executing them, and ends its waits for locks: nobody is there to
    /// be told of a grant.
    func dropWaiting(of session: Session, _ status: WireStatus) {
        locks.dropWaiters(of: session.id)
        for operation in waiting.all(of: session) {
            waiting.remove(operation)
            reply(operation.request, status == .unreachable ? .notReady : status)
            for inode in operation.blocks { waiting.wake(inode) }
        }
    }
}
