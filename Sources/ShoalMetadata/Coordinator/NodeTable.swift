import ShoalTypes
import ShoalWire

/// What the leader knows of the storage nodes beyond the map: connections, heartbeats, usage. In memory only.
struct NodeTable {
    struct Node {
        var connection: ConnectionID?
        var usage = NodeUsage()
        var lastHeard: MonotonicInstant
        /// When it counts as lost unless it registers before: its connection is gone.
        var lostAt: MonotonicInstant?
        /// When a client reported it while it was connected, until it syncs again.
        var reportedAt: MonotonicInstant?
        /// When it was marked down.
        var downSince: MonotonicInstant?
    }
    private var nodes: [NodeID: Node] = [:]

    subscript(id: NodeID) -> Node? {
        get { nodes[id] }
        set { nodes[id] = newValue }
    }
    /// Ascending by ID.
    var inOrder: [(id: NodeID, node: Node)] { nodes.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
}
