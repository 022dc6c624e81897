import ShoalTypes

/// Requests per second over a sliding window of whole seconds.
package struct RequestRate: Sendable {
    private var counts: [Int]
    private var second: Int64 = 0

    package init(windowSeconds: Int) {
        precondition(windowSeconds > 0, "a window of at least a second")
        // One slot more than the window: the running second is not counted yet.
        counts = Array(repeating: 0, count: windowSeconds + 1)
    }

    package mutating func count(at now: MonotonicInstant) {
        advance(to: now)
        counts[slot(second)] += 1
    }

    package mutating func perSecond(at now: MonotonicInstant) -> Double {
        advance(to: now)
        return Double(counts.reduce(0, +) - counts[slot(second)]) / Double(counts.count - 1)
    }

    private func slot(_ second: Int64) -> Int { Int(second % Int64(counts.count)) }

    private mutating func advance(to now: MonotonicInstant) {
        let target = now.rawValue / 1_000_000_000
        guard target > second else { return }
        if target - second >= Int64(counts.count) {
            for index in counts.indices { counts[index] = 0 }
        } else {
            for passed in second + 1...target { counts[slot(passed)] = 0 }
        }
        second = target
    }
}
