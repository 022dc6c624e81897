import ShoalTypes
import Testing

@testable import ShoalPlacement

@Suite struct FairShareTests {
    private func shares(_ partitions: Int, _ replicas: Int, _ nodes: [NodeDescription]) -> [Double] {
        FairShare(PlacementInput(partitionCount: partitions, replicaCount: replicas, nodes: nodes)).shares.map {
            ($0 * 1e6).rounded() / 1e6
        }
    }

    @Test("Shares are proportional to weight where no cap binds")
    func proportional() {
        #expect(shares(100, 1, [describe(1, weight: 1), describe(2, weight: 3)]) == [25, 75])
    }

    @Test("A node is cut at one replica per partition, and the others divide the rest by weight")
    func nodeCap() {
        let nodes = [describe(1, weight: 1000), describe(2, weight: 1), describe(3, weight: 3)]
        #expect(shares(100, 2, nodes) == [100, 25, 75])
    }

    @Test("A zone holds at most one replica of a partition while there are enough zones")
    func zoneCap() {
        let nodes = [describe(1, zone: "a", weight: 6), describe(2, zone: "a", weight: 2)]
        #expect(shares(100, 2, nodes + [describe(3, zone: "b"), describe(4, zone: "c")]) == [75, 25, 50, 50])
    }

    @Test("A zone above its bound does not lift its lighter nodes above those of other zones")
    func zoneIsFair() {
        let nodes = [
            describe(1, zone: "a", weight: 100), describe(2, zone: "a"), describe(3, zone: "b"), describe(4, zone: "c"),
        ]
        let share = shares(99, 2, nodes)
        #expect(share.reduce(0, +) == 198)
        #expect(share[1] < 1 && share[2] == 49.5 && share[3] == 49.5)
    }

    @Test("With fewer zones than replicas the zones' counts differ by at most one, as far as they have nodes")
    func zoneBounds() {
        #expect(PlacementInput.zoneBounds(replicaCount: 3, zoneSizes: [5, 1]) == [2...2, 1...1])
        #expect(PlacementInput.zoneBounds(replicaCount: 3, zoneSizes: [2, 2]) == [1...2, 1...2])
        #expect(PlacementInput.zoneBounds(replicaCount: 2, zoneSizes: [2, 2, 9]) == [0...1, 0...1, 0...1])
        #expect(PlacementInput.zoneBounds(replicaCount: 5, zoneSizes: [1, 3, 1]) == [1...1, 3...3, 1...1])
    }
}
