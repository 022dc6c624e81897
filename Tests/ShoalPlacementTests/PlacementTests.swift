import ShoalTypes
import Testing

@testable import ShoalPlacement
import ShoalTestSupport

@Suite struct PlacementTests {
    @Test("For any weights and zones every node is within one partition of its fair share, and replicas are spread")
    func balanceAndZones() {
        let seed = testSeed("balanceAndZones")
        var random = SplitMix64(seed: seed)
        for round in 0..<150 {
            let nodes = randomNodes(
                count: .random(in: 1...9, using: &random), zones: .random(in: 1...6, using: &random), using: &random)
            let partitions = [1, 2, 7, 64, 128].randomElement(using: &random)!
            let replicas = Int.random(in: 1...4, using: &random)
            let assignment = Placement.assign(
                partitionCount: partitions, replicaCount: replicas, nodes: nodes, previous: [])
            check(assignment, nodes, replicas, "seed \(seed) round \(round)")
        }
    }

    @Test("Whatever changes, the new assignment is balanced and adds no replica that it need not")
    func movement() {
        let seed = testSeed("movement")
        var random = SplitMix64(seed: seed)
        for round in 0..<60 {
            let context: Comment = "seed \(seed) round \(round)"
            let zones = Int.random(in: 1...5, using: &random)
            var nodes = randomNodes(count: .random(in: 2...8, using: &random), zones: zones, using: &random)
            let replicas = Int.random(in: 1...3, using: &random)
            var assignment = Placement.assign(partitionCount: 64, replicaCount: replicas, nodes: nodes, previous: [])
            for _ in 0..<4 {
                if Bool.random(using: &random), nodes.count > 1 {
                    nodes.remove(at: .random(in: 0..<nodes.count, using: &random))
                } else {
                    var new = randomNodes(count: 20, zones: zones, using: &random).randomElement(using: &random)!
                    new.id = (nodes.map(\.id).max() ?? NodeID(0)).next
                    nodes.append(new)
                }
                let previous = assignment
                assignment = Placement.assign(
                    partitionCount: 64, replicaCount: replicas, nodes: nodes, previous: previous)
                check(assignment, nodes, replicas, context)
                let again = Placement.assign(
                    partitionCount: 64, replicaCount: replicas, nodes: nodes.shuffled(using: &random),
                    previous: assignment)
                #expect(again == assignment, "nothing changed, so nothing moves: \(context)")
            }
        }
    }

    @Test("A node that joins takes its share and nothing else moves; a node that leaves moves only its own")
    func joinAndLeave() {
        for replicas in 1...3 {
            let five = (1...5).map { describe($0, zone: "zone \($0)") }
            let before = Placement.assign(partitionCount: 1024, replicaCount: replicas, nodes: five, previous: [])
            let six = five + [describe(6, zone: "zone 6")]
            let joined = Placement.assign(partitionCount: 1024, replicaCount: replicas, nodes: six, previous: before)
            // The fewest moves that balance allows fill the newcomer to the floor of its share.
            #expect(counts(joined)[NodeID(6)] == 1024 * replicas / 6)
            #expect(moves(before, joined) == 1024 * replicas / 6)
            let left = Placement.assign(partitionCount: 1024, replicaCount: replicas, nodes: five, previous: joined)
            #expect(moves(joined, left) == 1024 * replicas / 6)
            for (old, new) in zip(joined, left) {
                #expect(old.filter { $0 != NodeID(6) }.allSatisfy(new.contains), "only the lost replicas were replaced")
            }
        }
    }

    @Test(
        "No assignment within the bounds needs fewer moves than the one given: against all assignments of small clusters"
    )
    func leastMovement() {
        let seed = testSeed("leastMovement")
        var random = SplitMix64(seed: seed)
        for round in 0..<150 {
            let nodes = randomNodes(
                count: .random(in: 2...4, using: &random), zones: .random(in: 1...3, using: &random), using: &random)
            let replicas = Int.random(in: 1...3, using: &random)
            let ids = nodes.map(\.id) + [NodeID(99)]
            let previous = (0..<4).map { _ in
                Array(ids.shuffled(using: &random).prefix(.random(in: 0...3, using: &random)))
            }
            let assignment = Placement.assign(
                partitionCount: 4, replicaCount: replicas, nodes: nodes, previous: previous)
            check(assignment, nodes, replicas, "seed \(seed) round \(round)")
            let least = fewestMoves(nodes, replicas, previous)
            #expect(moves(previous, assignment) == least, "seed \(seed) round \(round)")
        }
    }

    @Test("Fresh assignments follow the rendezvous order nearly everywhere, and replicas are ordered by score")
    func rendezvous() {
        let nodes = (1...8).map { describe($0) }
        let assignment = Placement.assign(partitionCount: 1024, replicaCount: 2, nodes: nodes, previous: [])
        var first = 0
        for (partition, replicas) in assignment.enumerated() {
            let scores = nodes.map { RendezvousScore(node: $0.id, weight: 1, partition: partition) }
            let order = scores.indices.sorted { scores[$0] > scores[$1] }.map { nodes[$0].id }
            if Set(replicas) == Set(order.prefix(2)) { first += 1 }
            #expect(replicas == order.filter(replicas.contains))
        }
        #expect(first > 1024 * 8 / 10)
    }

    @Test("Weights that are not numbers above zero take nothing, and huge ones overflow nothing")
    func hostileWeights() {
        let nodes = [0, -1, .nan, .infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1].enumerated().map {
            describe($0 + 1, weight: $1)
        }
        let assignment = Placement.assign(partitionCount: 64, replicaCount: 3, nodes: nodes, previous: [])
        let count = counts(assignment)
        #expect((1...3).allSatisfy { count[NodeID($0)] == nil })
        #expect(count[NodeID(4)] == 64 && count[NodeID(5)] == 64)
    }

    /// Checks every promise of `assign` but the movement.
    private func check(_ assignment: [[NodeID]], _ nodes: [NodeDescription], _ replicas: Int, _ context: Comment) {
        let input = PlacementInput(partitionCount: assignment.count, replicaCount: replicas, nodes: nodes)
        let share = FairShare(input).shares
        #expect(abs(share.reduce(0, +) - Double(assignment.count * input.replicaCount)) < 1e-6, context)
        let count = counts(assignment)
        for (index, node) in input.nodes.enumerated() {
            #expect(abs(Double(count[node.id] ?? 0) - share[index]) < 1, context)
        }
        let zones = Set(nodes.map(\.zone))
        for set in assignment {
            #expect(set.count == min(replicas, nodes.count) && Set(set).count == set.count, context)
            let used = set.map { id in nodes.first { $0.id == id }!.zone }
            if zones.count >= replicas { #expect(Set(used).count == set.count, context) }
            for (zone, members) in input.nodesOf.enumerated() {
                let here = used.count { $0 == input.nodes[members[0]].zone }
                #expect(input.zoneBounds[zone].contains(here), context)
            }
        }
    }

    /// By trying every assignment.
    private func fewestMoves(_ nodes: [NodeDescription], _ replicas: Int, _ previous: [[NodeID]]) -> Int {
        let input = PlacementInput(partitionCount: previous.count, replicaCount: replicas, nodes: nodes)
        let bounds = FairShare(input).shares.map(Placement.nearestIntegers)
        let sets = (0..<1 << nodes.count).map { bits in nodes.indices.filter { bits >> $0 & 1 == 1 } }.filter { set in
            set.count == input.replicaCount
                && input.zoneBounds.indices.allSatisfy { zone in
                    input.zoneBounds[zone].contains(set.count { input.zoneOf[$0] == zone })
                }
        }
        var best = Int.max
        func extend(_ partition: Int, _ count: [Int], _ moved: Int) {
            if moved >= best || zip(count, bounds).contains(where: { $0 > $1.upperBound }) { return }
            guard partition < previous.count else {
                if zip(count, bounds).allSatisfy({ $1.contains($0) }) { best = moved }
                return
            }
            for set in sets {
                var next = count
                for node in set { next[node] += 1 }
                let new = set.count { !previous[partition].contains(input.nodes[$0].id) }
                extend(partition + 1, next, moved + new)
            }
        }
        extend(0, [Int](repeating: 0, count: nodes.count), 0)
        return best
    }
}
