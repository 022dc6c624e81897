import ShoalTypes
import ShoalWire

/// What a replica must do to equal its source, from both sides' digests of the same range of chunks.
package enum ChunkDifference {
    /// The chunks to fetch (or to drop, where the source lacks them), ascending. Both inputs are ascending.
    package static func between(local: [ChunkDigest], source: [ChunkDigest]) -> [ChunkID] {
        var different: [ChunkID] = []
        var mine = local.makeIterator()
        var theirs = source.makeIterator()
        var left = mine.next()
        var right = theirs.next()
        while left != nil || right != nil {
            if let own = left, right.map({ own.chunk < $0.chunk }) ?? true {
                different.append(own.chunk)
                left = mine.next()
            } else if let other = right, left.map({ other.chunk < $0.chunk }) ?? true {
                different.append(other.chunk)
                right = theirs.next()
            } else {
                if let own = left, let other = right, !own.hasSameContent(as: other) { different.append(own.chunk) }
                left = mine.next()
                right = theirs.next()
            }
        }
        return different
    }
}

extension ChunkDigest {
    /// Equal version, length and checksum: equal replicas.
    package func hasSameContent(as other: ChunkDigest) -> Bool {
        version == other.version && length == other.length && checksum == other.checksum
    }
}
