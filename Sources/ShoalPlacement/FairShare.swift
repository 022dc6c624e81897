import Glibc

/// How many replicas each node should hold: proportional to weight, as far as the caps allow (water-filling).
///
/// A node holds at most one replica of a partition, so its share is at most P; a zone's nodes together hold between
/// `zoneBounds.lowerBound * P` and `zoneBounds.upperBound * P`. Shares are the weighted max-min fair point within
/// these caps: one water level for all, so that `share = level * weight`, except that a node is cut at P, and that a
/// zone which comes out above or below its bounds gets the level of its own which brings it to the bound.
/// The shares add up to `partitionCount * replicaCount`.
struct FairShare {
    /// By node index.
    let shares: [Double]

    init(_ input: PlacementInput) {
        guard input.replicaCount > 0 else {
            shares = [Double](repeating: 0, count: input.nodes.count)
            return
        }
        let nodeCap = Double(input.partitionCount)
        let slots = Double(input.partitionCount * input.replicaCount)
        let lower = input.zoneBounds.map { Double($0.lowerBound) * nodeCap }
        let upper = input.zoneBounds.map { Double($0.upperBound) * nodeCap }

        func wanted(_ zone: Int, _ level: Double) -> Double {
            input.nodesOf[zone].reduce(0) { $0 + min(nodeCap, level * input.weights[$1]) }
        }
        let level = Self.level { level in
            lower.indices.reduce(0) { $0 + min(max(wanted($1, level), lower[$1]), upper[$1]) } >= slots
        }
        // A zone at one of its bounds has that sum; the others divide what is left.
        var shares = [Double](repeating: 0, count: input.nodes.count)
        var free: [Int] = []
        var left = slots
        for zone in lower.indices {
            let sum = wanted(zone, level)
            guard sum <= lower[zone] || sum >= upper[zone] else {
                free += input.nodesOf[zone]
                continue
            }
            let bound = sum <= lower[zone] ? lower[zone] : upper[zone]
            left -= bound
            Self.divide(bound, over: input.nodesOf[zone], weights: input.weights, cap: nodeCap, into: &shares)
        }
        Self.divide(left, over: free, weights: input.weights, cap: nodeCap, into: &shares)
        self.shares = shares
    }

    /// Sets the shares of `nodes`, which add up to `sum` (at most `cap` each): the heaviest are cut at the cap, the
    /// others are exactly proportional.
    private static func divide(
        _ sum: Double, over nodes: [Int], weights: [Double], cap: Double, into shares: inout [Double]
    ) {
        var left = sum
        var rest = nodes.sorted { weights[$0] != weights[$1] ? weights[$0] > weights[$1] : $0 < $1 }[...]
        while let heaviest = rest.first {
            let total = rest.reduce(0) { $0 + weights[$1] }
            guard left * weights[heaviest] >= cap * total else {
                for node in rest { shares[node] = left * weights[node] / total }
                return
            }
            shares[heaviest] = cap
            left -= cap
            rest.removeFirst()
        }
    }

    /// The lowest water level that `suffices`, which is false below it and true above it. Bisects the logarithm:
    /// weights may differ by any factor. The result decides only which caps bind; the shares are computed from that.
    private static func level(_ suffices: (Double) -> Bool) -> Double {
        var low = -50.0
        var high = 600.0
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if suffices(exp(middle)) { high = middle } else { low = middle }
        }
        return exp(high)
    }
}
