import ShoalKeyValue
import ShoalTypes
import ShoalWire

/// What a leader reads from its store when it starts.
extension MetadataCore {
    /// Adds the coordinator's records to a store that `Namespace.format` has just made: a map without nodes. Synced.
    package static func format(
        _ store: any KeyValueStore, replicaCount: UInt8, partitionCount: Int
    ) throws(MetadataError) {
        precondition((1...65_535).contains(partitionCount), "partitions are numbered by 16 bits")
        let record = MapRecord(partitionCount: UInt32(partitionCount), map: ClusterMap(replicaCount: replicaCount))
        var batch = WriteBatch()
        batch.put(Keys.map, record.stored())
        do { try store.commit(batch, sync: true) } catch { throw .store(error) }
    }

    static func storedMap(_ namespace: Namespace) throws(MetadataError) -> MapRecord {
        let transaction = namespace.begin()
        guard let record = try transaction.record(MapRecord.self, Keys.map) else {
            throw .corrupt("the cluster map is missing")
        }
        return record
    }

    /// Sessions have a term to come back; those that were fenced before the restart end with it.
    func loadSessions() throws(MetadataError) {
        let range = Keys.range(.session)
        var found: [(SessionID, SessionRecord)] = []
        let transaction = namespace.begin()
        try transaction.scan(from: range.lower, to: range.upper) { key, value throws(MetadataError) in
            found.append((SessionID(Keys.field(key, at: 1)), try SessionRecord(stored: value)))
            return true
        }
        let fenced = Set(keeper.map.fenced)
        for (id, record) in found {
            let isFenced = fenced.contains(id)
            let session = Session(
                id: id, label: record.label, phase: isFenced ? .ending : .unclaimed, deadline: now + limits.term,
                now: now)
            session.isFenced = isFenced
            sessions.insert(session)
        }
        if sessions.count > 0 { graceEnd = now + limits.term }
    }

    func loadOrphans() throws(MetadataError) {
        let transaction = namespace.begin()
        var last = InodeID(0)
        while true {
            let page = try transaction.orphans(after: last, limit: 1024)
            orphans.formUnion(page)
            guard page.count == 1024, let end = page.last else { break }
            last = end
        }
        if graceEnd == nil { endedOrphans = orphans.sorted(by: >) }
    }

    /// Nodes that were up are given time to register again.
    func expectNodes() {
        for node in keeper.map.nodes {
            nodes[node.id] = NodeTable.Node(
                lastHeard: now, lostAt: node.isUp ? now + limits.nodeSilenceMax : nil, downSince: node.isUp ? nil : now)
        }
    }
}
