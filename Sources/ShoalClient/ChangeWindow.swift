import ShoalWire

/// The changes of a session that have been sent and not been answered for good. They are first sent in the order of
/// their numbers, and no more than `Caller.changesInFlightMax` apart: the server remembers the replies of so many.
struct ChangeWindow {
    private var open: Set<UInt64> = []
    /// No open change is below this one. It only moves up: looking for the next one costs O(1) per change.
    private var oldest: UInt64 = 0

    /// Whether `change` may be sent now. Zero, no change at all, always may.
    func admits(_ change: UInt64) -> Bool {
        change == 0 || open.isEmpty || change < oldest + Caller.changesInFlightMax
    }

    mutating func insert(_ change: UInt64) {
        guard change > 0 else { return }
        if open.isEmpty { oldest = change }
        open.insert(change)
    }

    mutating func remove(_ change: UInt64) {
        guard open.remove(change) != nil, !open.isEmpty else { return }
        while !open.contains(oldest) { oldest += 1 }
    }
}
