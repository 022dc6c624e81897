import ShoalTypes

/// The first message on a connection, in both directions: who is there, and which versions it speaks.
package struct Hello: WireMessage, Equatable {
    package enum Role: UInt8, Sendable {
        case metadata = 1
        case node = 2
        case client = 3
        case command = 4
    }
    package var minimumVersion = FrameHeader.version
    package var maximumVersion = FrameHeader.version
    package var role = Role.client
    /// `.unknown` from a peer that has not joined a cluster yet.
    package var cluster = ClusterID.unknown
    package var session = SessionID.none
    package var generation = ConnectionGeneration(0)
    /// Of a node: its ID, 0 before it has one.
    package var node = NodeID(0)
    package init() {}
    package init(
        role: Role, cluster: ClusterID, session: SessionID = .none,
        generation: ConnectionGeneration = ConnectionGeneration(0), node: NodeID = NodeID(0)
    ) {
        self.role = role
        self.cluster = cluster
        self.session = session
        self.generation = generation
        self.node = node
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.integer(&minimumVersion)
        coder.integer(&maximumVersion)
        coder.enumeration(&role)
        coder.number(&cluster)
        coder.number(&session)
        coder.number(&generation)
        coder.number(&node)
    }
}

/// A message without fields.
package struct Empty: WireMessage, Equatable {
    package init() {}
    package mutating func code(_ coder: inout WireCoder) {}
}

package struct OpenSessionRequest: WireMessage, Equatable {
    /// What `shoal status` shows of the session: host, process and mountpoint.
    package var label = ""
    package init() {}
    package init(label: String) { self.label = label }
    package mutating func code(_ coder: inout WireCoder) { coder.string(&label, max: 4096) }
}

package struct OpenSessionReply: WireMessage, Equatable {
    package var session = SessionID.none
    /// The session and all its leases end this long after the last heartbeat that the server received.
    package var termMilliseconds: UInt32 = 0
    package var map = ClusterMap()
    package init() {}
    package init(session: SessionID, termMilliseconds: UInt32, map: ClusterMap) {
        self.session = session
        self.termMilliseconds = termMilliseconds
        self.map = map
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&session)
        coder.integer(&termMilliseconds)
        coder.clusterMap(&map)
    }
}

/// A request that names only the session: heartbeat, closeSession.
package struct SessionRequest: WireMessage, Equatable {
    package var session = SessionID.none
    package init() {}
    package init(session: SessionID) { self.session = session }
    package mutating func code(_ coder: inout WireCoder) { coder.number(&session) }
}

package struct HeartbeatReply: WireMessage, Equatable {
    package var epoch = Epoch(0)
    /// To a client: on some node there is so little space left that writes may soon be refused.
    package var isSpaceLow = false
    package init() {}
    package init(epoch: Epoch, isSpaceLow: Bool = false) {
        self.epoch = epoch
        self.isSpaceLow = isSpaceLow
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&epoch)
        coder.boolean(&isSpaceLow)
    }
}

/// One lease as a session believes to hold it.
package struct HeldLease: Hashable, Sendable {
    package var inode: InodeID
    package var mode: LeaseMode
    package var sequence: LeaseSequence
    /// Of `.part`; else whole.
    package var extent: LeaseExtent
    package init(inode: InodeID, mode: LeaseMode, sequence: LeaseSequence, extent: LeaseExtent = .whole) {
        self.inode = inode
        self.mode = mode
        self.sequence = sequence
        self.extent = extent
    }
    package static let blank = HeldLease(inode: InodeID(0), mode: .none, sequence: .none)
}

extension WireCoder {
    mutating func heldLease(_ value: inout HeldLease) {
        number(&value.inode)
        enumeration(&value.mode)
        number(&value.sequence)
        if value.mode == .part { extent(&value.extent) }
    }
}

/// After a reconnection: the session is still there, with these leases. Sent in parts; the last says so.
/// Leases that the server still knows and that the list lacks are dropped. Reply: `OpenSessionReply`; `.unknownSession`
/// if it expired.
package struct ReclaimLeasesRequest: WireMessage, Equatable {
    package static let leasesMax = 65_536
    package var session = SessionID.none
    package var leases: [HeldLease] = []
    package var isLast = true
    package init() {}
    package init(session: SessionID, leases: [HeldLease], isLast: Bool) {
        self.session = session
        self.leases = leases
        self.isLast = isLast
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&session)
        coder.list(&leases, max: Self.leasesMax, minimumBytes: 17, blank: HeldLease.blank) { $0.heldLease(&$1) }
        coder.boolean(&isLast)
    }
}

/// The map as a notice (`mapChanged`) or as the reply to `fetchMap`, `reportNode`.
package struct MapMessage: WireMessage, Equatable {
    package var map = ClusterMap()
    package init() {}
    package init(map: ClusterMap) { self.map = map }
    package mutating func code(_ coder: inout WireCoder) { coder.clusterMap(&map) }
}

/// "This node failed or did not answer in time." The reply (`MapMessage`) comes once the map no longer counts on it, or
/// at once if the node cannot be spared.
package struct ReportNodeRequest: WireMessage, Equatable {
    package var node = NodeID(0)
    package var epoch = Epoch(0)
    package var partition = PartitionID(0)
    package init() {}
    package init(node: NodeID, epoch: Epoch, partition: PartitionID) {
        self.node = node
        self.epoch = epoch
        self.partition = partition
    }
    package mutating func code(_ coder: inout WireCoder) {
        coder.number(&node)
        coder.number(&epoch)
        coder.number(&partition)
    }
}
