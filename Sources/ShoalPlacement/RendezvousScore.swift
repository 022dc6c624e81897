import Glibc
import ShoalTypes

/// Weighted rendezvous hashing: every (node, partition) pair has a score, and a partition prefers the nodes with the
/// highest ones.
///
/// The score is `-w / ln(h)`, where `h` in (0, 1) is a hash of the pair: a node then wins a share of the partitions
/// that is exactly proportional to its weight, and adding a node only ever moves partitions to that node.
/// Thaler and Ravishankar, "Using name-based mappings to increase hit rates" (1998); the weighted form is the
/// "logarithmic method" of Schindelhauer and Schomaker, "Weighted distributed hash tables" (2005).
struct RendezvousScore: Comparable {
    private let value: Double
    /// Breaks ties, so that the order is total.
    private let node: NodeID

    init(node: NodeID, weight: Double, partition: Int) {
        var mix = SplitMix64(seed: UInt64(node.rawValue) << 32 | UInt64(partition))
        // The top 53 bits, moved by half a step away from 0 and 1: the logarithm is finite and below zero.
        let hash = (Double(mix.next() >> 11) + 0.5) * 0x1p-53
        self.value = -weight / log(hash)
        self.node = node
    }

    static func < (lhs: RendezvousScore, rhs: RendezvousScore) -> Bool {
        lhs.value != rhs.value ? lhs.value < rhs.value : lhs.node > rhs.node
    }
}
