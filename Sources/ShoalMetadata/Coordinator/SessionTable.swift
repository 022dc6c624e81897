import ShoalTypes
import ShoalWire

/// The sessions, and the connections of clients and nodes that are open.
struct SessionTable {
    struct Connection {
        let role: Hello.Role
        var session: Session?
        var node: NodeID?
    }
    private var sessions: [SessionID: Session] = [:]
    private var connections: [ConnectionID: Connection] = [:]

    var count: Int { sessions.count }
    /// Ascending by ID, so that nothing depends on the order of a hash table.
    var inOrder: [Session] { sessions.values.sorted { $0.id < $1.id } }
    var connectionsInOrder: [ConnectionID] { connections.keys.sorted() }

    subscript(id: SessionID) -> Session? { sessions[id] }
    func connection(_ id: ConnectionID) -> Connection? { connections[id] }

    mutating func insert(_ session: Session) { sessions[session.id] = session }
    mutating func insert(_ id: ConnectionID, role: Hello.Role) { connections[id] = Connection(role: role) }

    mutating func setNode(_ id: ConnectionID, _ node: NodeID?) { connections[id]?.node = node }

    /// Makes `connection` the one that the session answers on.
    mutating func attach(_ session: Session, to connection: ConnectionID) {
        if let former = connections[connection]?.session, former !== session { former.connection = nil }
        connections[connection]?.session = session
        session.connection = connection
    }

    /// Forgets a connection; returns it as it was.
    mutating func remove(_ id: ConnectionID) -> Connection? {
        guard let connection = connections.removeValue(forKey: id) else { return nil }
        if let session = connection.session, session.connection == id { session.connection = nil }
        return connection
    }

    mutating func remove(_ session: Session) {
        sessions[session.id] = nil
        if let connection = session.connection { connections[connection]?.session = nil }
        session.connection = nil
    }

    /// Those whose term is over, ascending by ID. Sessions that have not come back after a restart have the grace
    /// period instead.
    func overdue(at now: MonotonicInstant) -> [Session] {
        sessions.values.filter { $0.deadline <= now && $0.phase != .unclaimed }.sorted { $0.id < $1.id }
    }

    func contains(_ matches: (Session) -> Bool) -> Bool { sessions.values.contains(where: matches) }
}
