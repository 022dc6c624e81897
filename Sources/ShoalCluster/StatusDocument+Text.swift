extension StatusDocument {
    /// The tables that `shoal status` prints.
    package var text: String {
        let health =
            totals.partitionsUnavailable > 0
            ? "\(totals.partitionsUnavailable) UNAVAILABLE, \(totals.partitionsDegraded) degraded"
            : totals.partitionsDegraded > 0 ? "\(totals.partitionsDegraded) degraded" : "all in sync"
        return """
            cluster   \(cluster), epoch \(epoch), \(Quantity.count(replicas, "replica")), \
            \(Quantity.count(partitions, "partition")): \(partitions == 0 ? "no node yet" : health)
            metadata  \(TextTable.printable(metadata.address)), \(Quantity.count(metadata.inodes, "inode")), \
            \(Quantity.decimal(metadata.requestsPerSecond)) r/s, \(metadata.reclaimQueue) to reclaim, \
            \(metadata.fencedSessions) fenced


            """ + nodeTable + "\n" + sessionTable
    }

    private var nodeTable: String {
        var table = TextTable([
            ("NODE", .left), ("ADDRESS", .left), ("ZONE", .left), ("STATE", .left), ("USED", .right), ("FREE", .right),
            ("CHUNKS", .right), ("IN SYNC", .right), ("SYNCING", .right), ("STALE", .right), ("R/S", .right),
            ("CORRUPT", .right), ("REPAIRED", .right),
        ])
        for node in nodes {
            table.append([
                "\(node.id)", node.address, node.zone, node.state, Quantity.bytes(node.bytesUsed),
                Quantity.bytes(node.bytesFree), "\(node.chunks)", "\(node.partitions.inSync)",
                "\(node.partitions.syncing)", "\(node.partitions.stale)", Quantity.decimal(node.requestsPerSecond),
                "\(node.corruptChunks)", "\(node.repairedChunks)",
            ])
        }
        table.append([
            "total", "", "", "\(totals.nodesUp)/\(totals.nodes) up", Quantity.bytes(totals.bytesUsed),
            Quantity.bytes(totals.bytesFree), "\(totals.chunks)", "\(nodes.reduce(0) { $0 + $1.partitions.inSync })",
            "\(nodes.reduce(0) { $0 + $1.partitions.syncing })", "\(nodes.reduce(0) { $0 + $1.partitions.stale })",
            Quantity.decimal(totals.requestsPerSecond), "", "",
        ])
        return table.text
    }

    private var sessionTable: String {
        guard !sessions.isEmpty else { return "no sessions\n" }
        var table = TextTable([("SESSION", .left), ("LEASES", .right), ("LAST HEARD", .right), ("LABEL", .left)])
        for session in sessions {
            let seconds = Quantity.decimal(Double(session.silentMilliseconds) / 1000)
            table.append(["\(session.id)", "\(session.leases)", "\(seconds) s ago", session.label])
        }
        return table.text
    }
}
