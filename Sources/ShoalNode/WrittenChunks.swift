import ShoalTypes

/// The chunks that each session wrote a short while ago: what may differ between replicas should it be fenced.
///
/// Two generations of sets; `rotate` drops the older one, so that a chunk is kept for one to two rotations. The owner
/// rotates only while it hears from the leader: a node that is cut off must not forget before it has learned of the
/// fence. Bounded to `chunksMax` over all sessions; the bound rotates early, and lies far above what a node can write
/// in a session term.
package struct WrittenChunks: Sendable {
    private var current: [SessionID: Set<ChunkID>] = [:]
    private var previous: [SessionID: Set<ChunkID>] = [:]
    private var currentCount = 0
    private let chunksMax: Int

    package init(chunksMax: Int) { self.chunksMax = chunksMax }

    package mutating func record(_ chunk: ChunkID, by session: SessionID) {
        if current[session, default: []].insert(chunk).inserted {
            currentCount += 1
            if currentCount >= chunksMax / 2 { rotate() }
        }
    }

    package mutating func rotate() {
        previous = current
        current = [:]
        currentCount = 0
    }

    /// The chunks of a session that has ended, ascending; they are forgotten here.
    package mutating func take(_ session: SessionID) -> [ChunkID] {
        let recent = current.removeValue(forKey: session) ?? []
        currentCount -= recent.count
        return recent.union(previous.removeValue(forKey: session) ?? []).sorted()
    }
}
