import ShoalTypes

/// Nodes, zones and partitions in the order of their rendezvous scores.
struct RendezvousOrder {
    /// Per partition, all nodes, highest score first.
    private let byPartition: [[Int]]
    /// Per partition and zone, the zone's nodes likewise.
    private let byZone: [[[Int]]]
    /// Per partition, the zones in the order of their best node.
    private let zonesByPartition: [[Int]]
    /// Per node, the partitions it wants least first: the ones to give up.
    private let byNode: [[Int]]

    init(_ input: PlacementInput) {
        let scores = (0..<input.partitionCount).map { partition in
            input.nodes.indices.map { node in
                RendezvousScore(node: input.nodes[node].id, weight: input.weights[node], partition: partition)
            }
        }
        byPartition = scores.map { row in row.indices.sorted { row[$0] > row[$1] } }
        byZone = byPartition.map { nodes in
            var zones = [[Int]](repeating: [], count: input.nodesOf.count)
            for node in nodes { zones[input.zoneOf[node]].append(node) }
            return zones
        }
        zonesByPartition = byPartition.map { nodes in
            var seen = [Bool](repeating: false, count: input.nodesOf.count)
            return nodes.map { input.zoneOf[$0] }.filter { zone in
                defer { seen[zone] = true }
                return !seen[zone]
            }
        }
        byNode = input.nodes.indices.map { node in
            (0..<input.partitionCount).sorted {
                scores[$0][node] != scores[$1][node] ? scores[$0][node] < scores[$1][node] : $0 < $1
            }
        }
    }

    func nodes(of partition: Int) -> [Int] { byPartition[partition] }
    func nodes(of partition: Int, in zone: Int) -> [Int] { byZone[partition][zone] }
    func zones(of partition: Int) -> [Int] { zonesByPartition[partition] }
    func partitions(of node: Int) -> [Int] { byNode[node] }
}
