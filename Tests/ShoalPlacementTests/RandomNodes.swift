import ShoalPlacement
import ShoalTypes

/// Nodes with random IDs, zones and weights (equal, of similar size, or of wildly different size).
func randomNodes(count: Int, zones: Int, using random: inout SplitMix64) -> [NodeDescription] {
    let kind = Int.random(in: 0..<3, using: &random)
    return (0..<count).map { index in
        let weight =
            switch kind {
            case 0: 1.0
            case 1: Double.random(in: 0.5...4, using: &random)
            default: [1e-9, 1, 3, 1000, 1e12].randomElement(using: &random)!
            }
        return describe(index + 1, zone: "z\(Int.random(in: 0..<zones, using: &random))", weight: weight)
    }
}

func describe(_ id: Int, zone: String = "z", weight: Double = 1) -> NodeDescription {
    NodeDescription(id: NodeID(UInt32(id)), address: "127.0.0.1:\(id)", zone: zone, weight: weight, isUp: true)
}

/// How many replicas each node has, by ID.
func counts(_ assignment: [[NodeID]]) -> [NodeID: Int] {
    assignment.joined().reduce(into: [:]) { $0[$1, default: 0] += 1 }
}

/// How many replicas `assignment` adds to `previous`.
func moves(_ previous: [[NodeID]], _ assignment: [[NodeID]]) -> Int {
    zip(previous, assignment).map { old, new in new.count { !old.contains($0) } }.reduce(0, +)
}
