/// Chunks `first..<end` of a file. One that ends at `.max` has no end: whoever may write it may make the file longer.
package struct LeaseExtent: Hashable, Sendable {
    package var first: UInt32
    package var end: UInt32

    package init(first: UInt32, end: UInt32) {
        self.first = first
        self.end = end
    }

    /// The chunks that bytes `range` are in; of an empty range, the one where it is.
    package init(_ range: Range<UInt64>, chunkBytesLog2: UInt8) {
        let log2 = UInt64(chunkBytesLog2)
        first = UInt32(clamping: range.lowerBound >> log2)
        end = UInt32(clamping: (max(range.upperBound, range.lowerBound + 1) - 1) >> log2 + 1)
    }

    package static let whole = LeaseExtent(first: 0, end: .max)

    package var hasNoEnd: Bool { end == .max }
    package var isEmpty: Bool { first >= end }
    package func contains(_ other: LeaseExtent) -> Bool { first <= other.first && other.end <= end }
    package func joined(with other: LeaseExtent) -> LeaseExtent {
        LeaseExtent(first: min(first, other.first), end: max(end, other.end))
    }
    package func overlaps(_ other: LeaseExtent) -> Bool { first < other.end && other.first < end }
}
