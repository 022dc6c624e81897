import ShoalTypes
import ShoalWire

/// The blocks of a chunk that were changed under one write lease, as far as this node has been asked to.
///
/// While replicas are made equal they may be ahead of the replica that decides: a change that the holder of a live lease has
/// sent to all, and that has come here first. It is answered here and not sent again, so it must stay.
package struct ChangedBlocks: Equatable, Sendable {
    package let session: SessionID
    package let sequence: LeaseSequence
    /// How many sessions had been fenced when it was changed last.
    package var fenceCount = 0
    /// Its session has been fenced: nothing of it is kept, nor of what was changed before.
    package var isVoid = false
    /// A bit for each block.
    private var words: [UInt64] = []
    /// From here on all are changed: the chunk was cut.
    private var tail = Int.max

    package init(session: SessionID, sequence: LeaseSequence) {
        self.session = session
        self.sequence = sequence
    }

    /// - Parameter blocks: Up to `Int.max` where the chunk was cut.
    package mutating func insert(_ blocks: Range<Int>) {
        var end = blocks.upperBound
        if end == .max {
            tail = min(tail, blocks.lowerBound)
            end = blocks.lowerBound
        }
        guard blocks.lowerBound < end else { return }
        if words.count * 64 < end {
            words.append(contentsOf: repeatElement(0, count: (end + 63) / 64 - words.count))
        }
        for block in blocks.lowerBound..<end { words[block / 64] |= 1 << UInt64(block % 64) }
    }

    package mutating func formUnion(_ other: ChangedBlocks) {
        if words.count < other.words.count {
            words.append(contentsOf: repeatElement(0, count: other.words.count - words.count))
        }
        for (index, word) in other.words.enumerated() { words[index] |= word }
        tail = min(tail, other.tail)
    }

    package func contains(_ block: Int) -> Bool {
        block >= tail || block / 64 < words.count && words[block / 64] >> UInt64(block % 64) & 1 == 1
    }

    /// The runs of `blocks` that were not changed, ascending.
    package func unchanged(in blocks: Range<Int>) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for block in blocks where !contains(block) {
            if let last = runs.last, last.upperBound == block {
                runs[runs.count - 1] = last.lowerBound..<block + 1
            } else {
                runs.append(block..<block + 1)
            }
        }
        return runs
    }

    package var byteCount: Int { words.count * 8 + 64 }
}
