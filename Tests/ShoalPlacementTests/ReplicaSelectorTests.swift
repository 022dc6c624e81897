import ShoalPlacement
import ShoalTypes
import Testing

@Suite struct ReplicaSelectorTests {
    @Test("Of two candidates the less loaded one is chosen, always")
    func lessLoaded() {
        var selector = ReplicaSelector(seed: 1)
        for _ in 0..<100 {
            let chosen = selector.choose(among: [NodeID(1), NodeID(2)]) { $0 == NodeID(1) ? 5 : 4 }
            #expect(chosen == NodeID(2))
        }
    }

    @Test("Equal loads are shared about evenly, and the same seed chooses the same")
    func ties() {
        var first = ReplicaSelector(seed: 7)
        var second = ReplicaSelector(seed: 7)
        let nodes = (1...3).map { NodeID($0) }
        let chosen = (0..<3000).compactMap { _ in first.choose(among: nodes) { _ in 0 } }
        let again = (0..<3000).compactMap { _ in second.choose(among: nodes) { _ in 0 } }
        #expect(chosen == again)
        for node in nodes { #expect((800...1200).contains(chosen.count { $0 == node })) }
    }

    @Test("One candidate is chosen without looking at its load; none gives nil")
    func fewCandidates() {
        var selector = ReplicaSelector(seed: 1)
        let none = selector.choose(among: []) { _ in 0 }
        #expect(none == nil)
        let only = selector.choose(among: [NodeID(3)]) { _ in preconditionFailure("no need") }
        #expect(only == NodeID(3))
    }
}
