import ShoalRPC
import ShoalTypes

/// A name in a directory.
struct Place: Hashable {
    var directory: InodeID
    var name: FileName
}

/// Names of one directory that the kernel shows without asking, present and absent ones, and until when.
struct KernelNames {
    private var shown: [FileName: MonotonicInstant] = [:]
    /// The kernel is being told to forget these.
    private var leaving: Set<FileName> = []
    /// When the last of them ends by itself.
    private(set) var end = MonotonicInstant(0)
    /// Since when nobody else has changed a name here.
    private var calmSince: MonotonicInstant?
    private var calmBefore = Int64(0)
    /// How many there may be before those that have ended are looked for.
    private var countToPrune = 64

    func isShown(_ name: FileName, at now: MonotonicInstant) -> Bool { shown[name].map { $0 > now } ?? false }
    func end(of name: FileName) -> MonotonicInstant? { shown[name] }

    /// For how long nobody else has changed a name here; `atFirst` where none was ever changed.
    mutating func calm(at now: MonotonicInstant, atFirst: Interval) -> Interval {
        if calmSince == nil { (calmSince, calmBefore) = (now, atFirst.nanoseconds) }
        return Interval(nanoseconds: (now - (calmSince ?? now)).nanoseconds + calmBefore)
    }

    mutating func disturbed(at now: MonotonicInstant) {
        (calmSince, calmBefore) = (now, 0)
    }

    mutating func show(_ name: FileName, until: MonotonicInstant, now: MonotonicInstant) {
        if shown.count >= countToPrune {
            shown = shown.filter { $0.value > now }
            countToPrune = max(64, 2 * shown.count)
        }
        shown[name] = max(until, shown[name] ?? until)
        // A notification that is under way may be too early for it.
        leaving.remove(name)
        end = max(end, until)
    }

    /// Those of `names` that the kernel shows and is not being told of.
    mutating func leave(_ names: [FileName], at now: MonotonicInstant) -> [FileName] {
        names.filter { isShown($0, at: now) && leaving.insert($0).inserted }
    }

    mutating func left(_ names: [FileName]) {
        for name in names where leaving.remove(name) != nil { shown[name] = nil }
    }
}
