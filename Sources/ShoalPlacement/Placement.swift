import ShoalTypes

/// Which nodes hold which partition.
package enum Placement {
    /// The most replicas of a partition that a cluster may ask for.
    package static let replicaCountMax = 8

    /// The nodes of each partition, in order.
    ///
    /// - Parameters:
    ///   - replicaCount: 1...`replicaCountMax`. With fewer nodes, every node holds every partition.
    ///   - nodes: In any order, each ID once. A weight that is not above zero takes no partition; whether a node is up
    ///   is
    ///     not looked at.
    ///   - previous: What to stay close to; empty for a fresh start. May name more replicas than `replicaCount`, and
    ///   nodes
    ///     that are gone.
    /// - Returns: `partitionCount` sets, for which holds, always:
    ///   - distinct nodes, `min(replicaCount, nodes)` of them;
    ///   - distinct zones if there are that many; otherwise no zone has a replica more than it must: the counts of two
    ///   zones
    ///     differ by at most one unless the smaller zone has no further node;
    ///   - every node holds the floor or the ceiling of its fair share (`FairShare`: proportional to weight, cut at one
    ///     replica per partition and at what the rule about zones leaves to its zone). Such an assignment always
    ///     exists: the fair
    ///     shares, spread evenly over all partitions, are a fractional flow in the network of `ReplicaFlow`, whose
    ///     bounds
    ///     are integers;
    ///   - among all such assignments, none adds fewer replicas to `previous`: nothing moves that need not.
    ///
    ///   Where there is still a choice, the highest scores of weighted rendezvous hashing win. Replicas that stay keep
    ///   their order; new
    ///   ones follow, highest score first. The result depends on the arguments only (not on the order of `nodes`).
    package static func assign(
        partitionCount: Int, replicaCount: Int, nodes: [NodeDescription], previous: [[NodeID]]
    ) -> [[NodeID]] {
        precondition((1...65_535).contains(partitionCount), "a partition's number is 16 bits")
        precondition((1...replicaCountMax).contains(replicaCount), "1...\(replicaCountMax) replicas")
        precondition(previous.isEmpty || previous.count == partitionCount, "the number of partitions never changes")
        let input = PlacementInput(partitionCount: partitionCount, replicaCount: replicaCount, nodes: nodes)
        guard input.replicaCount > 0 else { return [[NodeID]](repeating: [], count: partitionCount) }
        let shares = FairShare(input).shares
        let assignment =
            ReplicaFlow.solve(input, previous: previous, nodeBounds: shares.map(nearestIntegers))
            // Rounding made the bounds contradict each other by one: one to each side contains the true share for
            // certain.
            ?? ReplicaFlow.solve(input, previous: previous, nodeBounds: shares.map(widerIntegers))
        guard let assignment else { preconditionFailure("a fractional flow exists, so an integral one does") }
        return assignment
    }

    /// Shares this close to an integer are that integer, but for rounding.
    private static let shareTolerance = 1e-6

    /// The floor and the ceiling of a share.
    static func nearestIntegers(_ share: Double) -> ClosedRange<Int> {
        let nearest = share.rounded()
        guard abs(share - nearest) > shareTolerance else { return Int(nearest)...Int(nearest) }
        return Int(share.rounded(.down))...Int(share.rounded(.up))
    }

    private static func widerIntegers(_ share: Double) -> ClosedRange<Int> {
        let bounds = nearestIntegers(share)
        return max(0, bounds.lowerBound - 1)...(bounds.upperBound + 1)
    }
}
