/// What one owner has locked of one file: disjoint ranges, ascending, neighbours of one mode merged.
package struct LockSpans: Equatable, Sendable {
    package struct Span: Hashable, Sendable {
        package var range: LockRange
        package var mode: LockMode
        package init(range: LockRange, mode: LockMode) {
            self.range = range
            self.mode = mode
        }
    }
    package private(set) var spans: [Span] = []

    package init() {}
    package var isEmpty: Bool { spans.isEmpty }
    package var count: Int { spans.count }

    /// The first span whose last byte is `byte` or after it.
    private func index(reaching byte: UInt64) -> Int {
        var low = 0
        var high = spans.count
        while low < high {
            let middle = (low + high) / 2
            if spans[middle].range.last < byte { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Gives every byte of `range` this mode, whatever it had; nil unlocks. Splits and merges as fcntl(2) says.
    package mutating func set(_ range: LockRange, _ mode: LockMode?) {
        var start = index(reaching: range.first)
        var end = start
        while end < spans.count, spans[end].range.first <= range.last { end += 1 }
        var merged = range
        var pieces: [Span] = []
        var tail: Span?
        if start < end {
            let head = spans[start]
            if head.range.first < range.first {
                if head.mode == mode {
                    merged.first = head.range.first
                } else {
                    pieces.append(
                        Span(range: LockRange(first: head.range.first, last: range.first - 1), mode: head.mode))
                }
            }
            let last = spans[end - 1]
            if last.range.last > range.last {
                if last.mode == mode {
                    merged.last = last.range.last
                } else {
                    tail = Span(range: LockRange(first: range.last + 1, last: last.range.last), mode: last.mode)
                }
            }
        }
        if let mode {
            if merged.first > 0, start > 0, spans[start - 1].mode == mode,
                spans[start - 1].range.last == merged.first - 1
            {
                start -= 1
                merged.first = spans[start].range.first
            }
            if end < spans.count, spans[end].mode == mode, spans[end].range.first == merged.last + 1 {
                merged.last = spans[end].range.last
                end += 1
            }
            pieces.append(Span(range: merged, mode: mode))
        }
        if let tail { pieces.append(tail) }
        spans.replaceSubrange(start..<end, with: pieces)
    }

    /// Exclusive locks within `range` become shared; nothing is added.
    package mutating func downgrade(_ range: LockRange) {
        for span in spans where span.mode == .exclusive && span.range.overlaps(range) {
            let first = max(span.range.first, range.first)
            set(LockRange(first: first, last: min(span.range.last, range.last)), .shared)
        }
    }

    /// The lowest span that another owner's lock of `mode` on `range` would conflict with.
    package func conflict(_ range: LockRange, _ mode: LockMode) -> Span? {
        var place = index(reaching: range.first)
        while place < spans.count, spans[place].range.first <= range.last {
            if spans[place].mode.conflicts(with: mode) { return spans[place] }
            place += 1
        }
        return nil
    }

    package func overlaps(_ range: LockRange) -> Bool {
        let place = index(reaching: range.first)
        return place < spans.count && spans[place].range.first <= range.last
    }

    package func checkInvariants() {
        precondition(spans.allSatisfy(\.range.isValid), "a span that is none")
        for (low, high) in zip(spans, spans.dropFirst()) {
            precondition(low.range.last < high.range.first, "spans overlap or are out of order")
            precondition(
                low.mode != high.mode || low.range.last + 1 < high.range.first, "neighbours of one mode stay apart")
        }
    }
}
