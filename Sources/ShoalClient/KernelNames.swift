import ShoalRPC
import ShoalTypes

/// A name in a directory.
struct Place: Hashable {
    var directory: InodeID
    var name: FileName
}

/// Names of one directory that the kernel shows without asking, present and absent ones, and until when.
struct KernelNames {
    /// When each ends by itself.
    private var shown = NameTable<MonotonicInstant>()
    /// Until then an answer may be on its way to an entry that another path finds again: of a directory, whose entry Linux
    /// moves and hashes anew when it is looked up (`__d_unalias`). Only of names in `shown`.
    private var settling: [FileName: MonotonicInstant] = [:]
    /// The kernel is being told to forget these, each time under another number.
    private var leaving: [FileName: UInt64] = [:]
    private var lastNumber: UInt64 = 0
    /// When the last of them ends by itself.
    private(set) var end = MonotonicInstant(0)
    /// Since when nobody else has changed a name here.
    private var calmSince: MonotonicInstant?
    private var calmBefore = Int64(0)
    /// How many there may be before those that have ended are looked for.
    private var countToPrune = 64

    var isEmpty: Bool { shown.isEmpty }
    /// What those that are shown take in memory.
    var bytes: Int { shown.bytes }
    func isShown(_ name: FileName, at now: MonotonicInstant) -> Bool { shown[name].map { $0 > now } ?? false }
    func end(of name: FileName) -> MonotonicInstant? { shown[name] }
    /// When the kernel can be told to forget all of `names` for good.
    func settled(_ names: [FileName]) -> MonotonicInstant {
        settling.isEmpty ? MonotonicInstant(0) : names.compactMap { settling[$0] }.max() ?? MonotonicInstant(0)
    }

    /// For how long nobody else has changed a name here; `atFirst` where none was ever changed.
    mutating func calm(at now: MonotonicInstant, atFirst: Interval) -> Interval {
        if calmSince == nil { (calmSince, calmBefore) = (now, atFirst.nanoseconds) }
        return Interval(nanoseconds: (now - (calmSince ?? now)).nanoseconds + calmBefore)
    }

    mutating func disturbed(at now: MonotonicInstant) {
        (calmSince, calmBefore) = (now, 0)
    }

    mutating func show(
        _ name: FileName, until: MonotonicInstant, settled: MonotonicInstant = MonotonicInstant(0),
        now: MonotonicInstant
    ) {
        if shown.count >= countToPrune {
            prune(at: now)
            countToPrune = max(64, 2 * shown.count)
        }
        let earlier = shown[name]
        shown.updateValue(max(until, earlier ?? until), forKey: name)
        if settled > now { settling[name] = max(settled, settling[name] ?? settled) }
        // A notification that is under way may be too early for it.
        if !leaving.isEmpty { leaving[name] = nil }
        end = max(end, until)
    }

    /// Those of `names` that the kernel shows and is not being told of; from now on it is, under this number.
    mutating func leave(_ names: [FileName], at now: MonotonicInstant) -> (names: [FileName], number: UInt64) {
        lastNumber += 1
        let new = names.filter { isShown($0, at: now) && leaving[$0] == nil }
        for name in new { leaving[name] = lastNumber }
        return (new, lastNumber)
    }

    mutating func left(_ names: [FileName], number: UInt64) {
        for name in names where leaving[name] == number {
            leaving[name] = nil
            shown.removeValue(forKey: name)
            settling[name] = nil
        }
    }

    /// Forgets those that have ended.
    mutating func prune(at now: MonotonicInstant) {
        settling = settling.filter { $0.value > now }
        shown.removeAll { $0 <= now }
    }
}
