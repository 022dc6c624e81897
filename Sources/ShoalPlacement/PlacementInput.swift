import ShoalTypes

/// What an assignment is made from, with nodes and zones as small indices in a fixed order.
struct PlacementInput {
    let partitionCount: Int
    /// Replicas of each partition: what was asked for, or the number of nodes if that is smaller.
    let replicaCount: Int
    /// The nodes that take partitions, ascending by ID.
    let nodes: [NodeDescription]
    /// `nodes[i].weight` over the largest weight, so in (0, 1].
    let weights: [Double]
    /// The zone of each node.
    let zoneOf: [Int]
    /// The nodes of each zone, ascending.
    let nodesOf: [[Int]]
    /// How many replicas of one partition a zone holds, the same for every partition.
    let zoneBounds: [ClosedRange<Int>]

    /// Far below any ratio of capacities, far above where division loses digits.
    private static let weightMin = 1e-200

    init(partitionCount: Int, replicaCount: Int, nodes all: [NodeDescription]) {
        // Weights come from the wire: only a number above zero takes partitions.
        let nodes = all.filter { $0.weight > 0 }.sorted { $0.id < $1.id }
        precondition(zip(nodes, nodes.dropFirst()).allSatisfy { $0.id < $1.id }, "a node ID occurs once")
        let finite = nodes.map { min($0.weight, Double.greatestFiniteMagnitude) }
        let largest = finite.max() ?? 1
        let zones = Set(nodes.map(\.zone)).sorted()
        let zoneOf = nodes.map { node in zones.partitioningIndex { $0 >= node.zone } }
        var nodesOf = [[Int]](repeating: [], count: zones.count)
        for (node, zone) in zoneOf.enumerated() { nodesOf[zone].append(node) }

        self.partitionCount = partitionCount
        self.replicaCount = min(replicaCount, nodes.count)
        self.nodes = nodes
        self.weights = finite.map { max($0 / largest, Self.weightMin) }
        self.zoneOf = zoneOf
        self.nodesOf = nodesOf
        self.zoneBounds = Self.zoneBounds(replicaCount: self.replicaCount, zoneSizes: nodesOf.map(\.count))
    }

    /// As even as the zones' sizes allow: every zone gets `level` replicas, or as many as it has nodes; the zones that
    /// have more nodes than that share what is left, one each.
    static func zoneBounds(replicaCount: Int, zoneSizes: [Int]) -> [ClosedRange<Int>] {
        var level = 0
        while level < replicaCount, zoneSizes.reduce(0, { $0 + min($1, level + 1) }) <= replicaCount { level += 1 }
        let left = replicaCount - zoneSizes.reduce(0) { $0 + min($1, level) }
        return zoneSizes.map { size in min(size, level)...(left > 0 ? min(size, level + 1) : min(size, level)) }
    }
}

extension Array {
    /// The first index at which `predicate` holds, if it holds for every element after the first for which it does.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
