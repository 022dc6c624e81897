import ShoalTypes

/// Chooses the replica that serves a read: the less loaded of two that are drawn at random.
///
/// Two random choices keep the longest queue at O(log log n) where one random choice gives O(log n / log log n), and
/// unlike "the least loaded of all" they do not send every reader to the same node when the loads known here are old:
/// Mitzenmacher, "The power of two choices in randomized load balancing" (2001).
package struct ReplicaSelector: Sendable {
    private var random: SplitMix64

    /// The same seed makes the same choices.
    package init(seed: UInt64) { self.random = SplitMix64(seed: seed) }

    /// One of `candidates`, or nil if there is none. `load` is asked at most twice; equal loads are decided by chance.
    package mutating func choose(among candidates: [NodeID], load: (NodeID) -> Int) -> NodeID? {
        guard candidates.count > 1 else { return candidates.first }
        let first = Int.random(in: 0..<candidates.count, using: &random)
        var second = Int.random(in: 0..<candidates.count - 1, using: &random)
        if second >= first { second += 1 }
        // Which of the two came first was chance already, so a tie goes to it.
        return load(candidates[second]) < load(candidates[first]) ? candidates[second] : candidates[first]
    }
}
