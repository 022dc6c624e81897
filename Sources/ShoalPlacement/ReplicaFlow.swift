import ShoalTypes

/// Finds the assignment that meets all bounds and adds the fewest replicas, as a minimum-cost flow.
///
/// The network has a vertex per partition (which receives `replicaCount` units), per partition and zone, per node, and
/// a sink. An arc from a partition to its zone vertex carries `zoneBounds`, from there to a node of the zone 0 or 1 (a
/// replica; it costs 1 unless the node held one before), from a node to the sink `nodeBounds`.
///
/// Method: successive shortest paths (Ahuja, Magnanti and Orlin, "Network flows", 9.7), started from the previous
/// assignment, which is optimal but not balanced, with a phase for each distance: Dijkstra's algorithm over reduced
/// costs, then breadth-first augmentation over arcs of reduced cost zero, in rendezvous order. Work is proportional to
/// partitions x nodes x phases, and there are few phases; memory to partitions x nodes.
struct ReplicaFlow {
    private let input: PlacementInput
    private let nodeBounds: [ClosedRange<Int>]
    private let order: RendezvousOrder
    private let partitions: Int
    private let zones: Int
    private let nodes: Int

    /// At `partition * nodes + node`.
    private var holds: [Bool]
    private let held: [Bool]
    /// At `partition * zones + zone`.
    private var zoneFlow: [Int]
    private var nodeFlow: [Int]
    /// Per vertex: what flows in less what flows out. All zero in the end.
    private var excess: [Int]
    /// Dual values: every arc with room has `cost + potential[from] - potential[to] >= 0`.
    private var potential: [Int]

    /// nil if no assignment meets the bounds.
    static func solve(
        _ input: PlacementInput, previous: [[NodeID]], nodeBounds: [ClosedRange<Int>]
    ) -> [[NodeID]]? {
        var flow = ReplicaFlow(input, previous: previous, nodeBounds: nodeBounds)
        while flow.excess.contains(where: { $0 > 0 }) {
            guard flow.raisePotentials() else { return nil }
            flow.augment()
        }
        return flow.assignment(previous)
    }

    private init(_ input: PlacementInput, previous: [[NodeID]], nodeBounds: [ClosedRange<Int>]) {
        self.input = input
        self.nodeBounds = nodeBounds
        self.order = RendezvousOrder(input)
        partitions = input.partitionCount
        zones = input.nodesOf.count
        nodes = input.nodes.count

        var holds = [Bool](repeating: false, count: partitions * nodes)
        let indices = Dictionary(uniqueKeysWithValues: zip(input.nodes.map(\.id), 0...))
        for (partition, replicas) in previous.enumerated() {
            for node in replicas { if let index = indices[node] { holds[partition * nodes + index] = true } }
        }
        self.holds = holds
        held = holds
        zoneFlow = [Int](repeating: 0, count: partitions * zones)
        nodeFlow = [Int](repeating: 0, count: nodes)
        excess = [Int](repeating: 0, count: partitions + partitions * zones + nodes + 1)
        potential = excess
        balanceStart()
    }

    /// Puts every arc of the start within its bounds; what does not add up is excess.
    private mutating func balanceStart() {
        for partition in 0..<partitions {
            excess[partition] = input.replicaCount
            for zone in 0..<zones {
                let held = input.nodesOf[zone].count { holds[partition * nodes + $0] }
                let flow = min(max(held, input.zoneBounds[zone].lowerBound), input.zoneBounds[zone].upperBound)
                zoneFlow[partition * zones + zone] = flow
                excess[partition] -= flow
                excess[zoneVertex(partition, zone)] = flow - held
            }
        }
        excess[sink] = -partitions * input.replicaCount
        for node in 0..<nodes {
            let held = (0..<partitions).count { holds[$0 * nodes + node] }
            nodeFlow[node] = min(max(held, nodeBounds[node].lowerBound), nodeBounds[node].upperBound)
            excess[nodeVertex(node)] = held - nodeFlow[node]
            excess[sink] += nodeFlow[node]
        }
    }

    private var sink: Int { excess.count - 1 }
    private func zoneVertex(_ partition: Int, _ zone: Int) -> Int { partitions + partition * zones + zone }
    private func nodeVertex(_ node: Int) -> Int { partitions + partitions * zones + node }

    private enum Vertex {
        case partition(Int)
        case zone(partition: Int, zone: Int)
        case node(Int)
        case sink
    }

    private func vertex(_ number: Int) -> Vertex {
        if number < partitions { return .partition(number) }
        let (partition, zone) = (number - partitions).quotientAndRemainder(dividingBy: zones)
        if partition < partitions { return .zone(partition: partition, zone: zone) }
        return number == sink ? .sink : .node(number - nodeVertex(0))
    }

    /// The arcs with room from a vertex, best first, until `body` returns false.
    private func forEachArc(from number: Int, _ body: (_ target: Int, _ cost: Int) -> Bool) {
        switch vertex(number) {
        case .partition(let partition):
            for zone in order.zones(of: partition)
            where zoneFlow[partition * zones + zone] < input.zoneBounds[zone].upperBound {
                guard body(zoneVertex(partition, zone), 0) else { return }
            }
        case .zone(let partition, let zone):
            for node in order.nodes(of: partition, in: zone) where !holds[partition * nodes + node] {
                guard body(nodeVertex(node), held[partition * nodes + node] ? 0 : 1) else { return }
            }
            if zoneFlow[partition * zones + zone] > input.zoneBounds[zone].lowerBound { _ = body(partition, 0) }
        case .node(let node):
            if nodeFlow[node] < nodeBounds[node].upperBound { guard body(sink, 0) else { return } }
            let zone = input.zoneOf[node]
            for partition in order.partitions(of: node) where holds[partition * nodes + node] {
                guard body(zoneVertex(partition, zone), held[partition * nodes + node] ? 0 : -1) else { return }
            }
        case .sink:
            for node in 0..<nodes where nodeFlow[node] > nodeBounds[node].lowerBound {
                guard body(nodeVertex(node), 0) else { return }
            }
        }
    }

    /// Pushes one unit over an arc with room.
    private mutating func push(from: Int, to: Int) {
        switch (vertex(from), vertex(to)) {
        case (.partition, .zone(let partition, let zone)): zoneFlow[partition * zones + zone] += 1
        case (.zone(let partition, let zone), .partition): zoneFlow[partition * zones + zone] -= 1
        case (.zone(let partition, _), .node(let node)): holds[partition * nodes + node] = true
        case (.node(let node), .zone(let partition, _)): holds[partition * nodes + node] = false
        case (.node(let node), .sink): nodeFlow[node] += 1
        case (.sink, .node(let node)): nodeFlow[node] -= 1
        default: preconditionFailure("no such arc")
        }
    }

    /// Dijkstra's algorithm from every vertex with excess to the nearest with a deficit; afterwards a path of reduced
    /// cost zero joins them. False if none can be reached.
    private mutating func raisePotentials() -> Bool {
        var distance = [Int](repeating: .max, count: excess.count)
        // Reduced costs are small integers, so the queue is a list of vertices per distance.
        var buckets: [[Int]] = [excess.indices.filter { excess[$0] > 0 }]
        for start in buckets[0] { distance[start] = 0 }
        var reached = 0
        while reached < buckets.count {
            var next = 0
            while next < buckets[reached].count {
                let number = buckets[reached][next]
                next += 1
                guard distance[number] == reached else { continue }
                if excess[number] < 0 {
                    for each in excess.indices { potential[each] += min(distance[each], reached) }
                    return true
                }
                forEachArc(from: number) { target, cost in
                    let candidate = reached + cost + potential[number] - potential[target]
                    if candidate < distance[target] {
                        distance[target] = candidate
                        while buckets.count <= candidate { buckets.append([]) }
                        buckets[candidate].append(target)
                    }
                    return true
                }
            }
            reached += 1
        }
        return false
    }

    /// Moves excess to deficits along paths of reduced cost zero, as long as a search from a vertex finds one.
    private mutating func augment() {
        /// Where the search came from; a vertex that a failed search has seen leads nowhere in this phase.
        var parent = [Int](repeating: -1, count: excess.count)
        for start in excess.indices {
            while excess[start] > 0 {
                parent[start] = start
                var queue = [start]
                guard let end = search(&queue, &parent) else { break }
                excess[start] -= 1
                excess[end] += 1
                var to = end
                while to != start {
                    push(from: parent[to], to: to)
                    to = parent[to]
                }
                for seen in queue { parent[seen] = -1 }
            }
        }
    }

    /// The first vertex with a deficit that a breadth-first search from `queue[0]` meets. `queue` is all that it saw.
    private func search(_ queue: inout [Int], _ parent: inout [Int]) -> Int? {
        var next = 0
        while next < queue.count {
            let number = queue[next]
            next += 1
            var end: Int?
            forEachArc(from: number) { target, cost in
                guard parent[target] < 0, cost + potential[number] == potential[target] else { return true }
                parent[target] = number
                queue.append(target)
                if excess[target] < 0 { end = target }
                return end == nil
            }
            if let end { return end }
        }
        return nil
    }

    private func assignment(_ previous: [[NodeID]]) -> [[NodeID]] {
        (0..<partitions).map { partition in
            let chosen = order.nodes(of: partition).filter { holds[partition * nodes + $0] }.map { input.nodes[$0].id }
            guard !previous.isEmpty else { return chosen }
            var kept: [NodeID] = []
            for node in previous[partition] where chosen.contains(node) && !kept.contains(node) { kept.append(node) }
            return kept + chosen.filter { !kept.contains($0) }
        }
    }
}
