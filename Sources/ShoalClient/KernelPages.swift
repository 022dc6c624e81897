import ShoalRPC
import ShoalTypes

/// What is known of the pages that the kernel has of a file's content, for mappings, splice(2) and sendfile(2).
struct KernelPages {
    enum State {
        case kept
        /// Some are being dropped: what is read of pages meanwhile is held.
        case dropping
        /// They are gone, until the recall is answered.
        case dropped
    }

    /// A read of pages that waits until a drop, and the recall behind it, have ended. The kernel has its pages locked,
    /// and nothing in them.
    struct HeldRead {
        let range: Range<UInt64>
        /// Begins the read anew, with its lease.
        let resume: () -> Void
        /// Serves it under the present lease.
        let serve: () -> Void
    }

    var state = State.kept
    /// Read since they were last dropped: the kernel may have them.
    private(set) var served = RangeSet<UInt64>()
    /// Those that are being dropped.
    var leaving = RangeSet<UInt64>()
    var heldReads: [HeldRead] = []
    /// Open files through which pages may be changed without a word.
    var storerCount = 0
    /// Run when the drop that is under way has ended.
    var afterDrop: [() -> Void] = []

    private static let rangesMax = 64

    /// Beyond 64 runs of pages what lies between them counts as served, too.
    mutating func noteServed(_ pages: RangeSet<UInt64>) {
        served.formUnion(pages)
        guard served.ranges.count > KernelPages.rangesMax else { return }
        served = RangeSet(served.ranges[0].lowerBound..<served.ranges.last!.upperBound)
    }

    mutating func forgetServed() { served = RangeSet() }

    /// All that were served now leave, but for those that the kernel is reading again: it has dropped them itself.
    mutating func beginLeaving() {
        leaving = served
        forgetServed()
        for read in heldReads { leaving.remove(contentsOf: read.range) }
    }

    /// Takes out the held reads that touch pages which leave.
    mutating func takeReadsInTheWay() -> [HeldRead] {
        let leaving = leaving
        let found = heldReads.filter { !leaving.intersection(RangeSet($0.range)).isEmpty }
        heldReads.removeAll { !leaving.intersection(RangeSet($0.range)).isEmpty }
        return found
    }
}
