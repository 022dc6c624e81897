import ShoalTypes
import ShoalWire

/// The locks of one kind on one inode, and who waits for them: a pure state machine.
///
/// A request is in the way of nobody while it waits: as on Linux, a new one that conflicts with no lock held is granted
/// even if an earlier one still waits, since making it wait could close a circle that nobody wants. Among those that
/// wait, whoever came first is granted first.
struct RecordLocks: Sendable {
    struct Holding: Equatable, Sendable {
        var spans = LockSpans()
        /// Of the latest request.
        var process: UInt32 = 0
    }
    private(set) var holdings: [LockHolder: Holding] = [:]
    /// In order of arrival.
    private(set) var waiters: [LockWaiter] = []
    private(set) var spanCount = 0

    var isEmpty: Bool { holdings.isEmpty && waiters.isEmpty }

    func spans(of holder: LockHolder) -> LockSpans { holdings[holder]?.spans ?? LockSpans() }

    // MARK: Conflicts

    func isFree(_ wish: LockWish) -> Bool {
        // The order of the table does not matter to the answer.
        for (holder, holding) in holdings where holder != wish.holder {
            if holding.spans.conflict(wish.range, wish.mode) != nil { return false }
        }
        return true
    }

    /// The lowest lock in the way of the wish; among equals that of the lowest holder (F_GETLK).
    func conflict(with wish: LockWish) -> TestLockReply.Conflict? {
        var found: (holder: LockHolder, span: LockSpans.Span, process: UInt32)?
        for (holder, holding) in holdings where holder != wish.holder {
            guard let span = holding.spans.conflict(wish.range, wish.mode) else { continue }
            if let best = found, (best.span.range.first, best.holder) < (span.range.first, holder) { continue }
            found = (holder, span, holding.process)
        }
        return found.map {
            TestLockReply.Conflict(range: $0.span.range, mode: $0.span.mode, process: $0.process)
        }
    }

    /// Everybody whose locks are in the way, ascending.
    func blockers(of wish: LockWish) -> [LockHolder] {
        holdings.filter { $0.key != wish.holder && $0.value.spans.conflict(wish.range, wish.mode) != nil }
            .map(\.key).sorted()
    }

    // MARK: Changes

    /// Gives the bytes the mode of the wish, whatever their holder had there. Nobody else may be in the way.
    /// - Returns: by how much the number of spans changed.
    @discardableResult
    mutating func grant(_ wish: LockWish) -> Int {
        assert(isFree(wish), "a lock is granted over another")
        return change(wish.holder) { holding in
            holding.spans.set(wish.range, wish.mode)
            holding.process = wish.process
        }
    }

    @discardableResult
    mutating func unlock(_ range: LockRange, of holder: LockHolder) -> Int {
        guard holdings[holder] != nil else { return 0 }
        return change(holder) { $0.spans.set(range, nil) }
    }

    /// Puts `spans` in the place of all that the holder has; nobody else may be in the way.
    mutating func replace(_ spans: LockSpans, of holder: LockHolder, process: UInt32) -> Int {
        change(holder) { $0 = Holding(spans: spans, process: process) }
    }

    private mutating func change(_ holder: LockHolder, _ body: (inout Holding) -> Void) -> Int {
        var holding = holdings[holder] ?? Holding()
        let before = holding.spans.count
        body(&holding)
        holdings[holder] = holding.spans.isEmpty ? nil : holding
        let added = holding.spans.count - before
        spanCount += added
        return added
    }

    // MARK: Waiting

    mutating func enqueue(_ waiter: LockWaiter) { waiters.append(waiter) }

    mutating func removeWaiter(_ id: LockWaitID) {
        if let place = waiters.firstIndex(where: { $0.id == id }) { waiters.remove(at: place) }
    }

    /// After locks have gone: grants what has become possible, first come, first served.
    /// - Returns: those who wait no more, in that order, and by how much the number of their spans changed.
    mutating func grantWaiters() -> [(waiter: LockWaiter, added: Int)] {
        var granted: [(LockWaiter, Int)] = []
        var isDone = waiters.isEmpty
        while !isDone {
            isDone = true
            var left: [LockWaiter] = []
            left.reserveCapacity(waiters.count)
            for waiter in waiters {
                guard isFree(waiter.wish) else {
                    left.append(waiter)
                    continue
                }
                // Where the holder had an exclusive lock it now has a shared one: those before may go ahead.
                if waiter.wish.mode == .shared, spans(of: waiter.wish.holder).overlaps(waiter.wish.range) {
                    isDone = false
                }
                granted.append((waiter, grant(waiter.wish)))
            }
            waiters = left
        }
        return granted
    }

    /// Costly: for tests and simulation.
    func checkInvariants() {
        precondition(spanCount == holdings.values.reduce(0) { $0 + $1.spans.count }, "the count of spans is off")
        for (holder, holding) in holdings {
            holding.spans.checkInvariants()
            precondition(!holding.spans.isEmpty, "a holder of nothing")
            for span in holding.spans.spans {
                let wish = LockWish(holder: holder, range: span.range, mode: span.mode, process: 0)
                precondition(isFree(wish), "two locks conflict")
            }
        }
        for waiter in waiters { precondition(!isFree(waiter.wish), "somebody waits for what is free") }
    }
}
