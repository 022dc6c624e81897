import ShoalTypes

/// What is known of the size that the kernel has of a file (`i_size`), by which it goes when it reads from pages, and for
/// SEEK_END.
///
/// For both it asks for attributes; but the answer is void if it is told to forget before it has taken that in
/// (`attr_version` in fs/fuse), and then it goes by the size that it had.
struct KernelSize {
    /// It is at least this.
    private(set) var least: UInt64 = 0
    /// It is at most this.
    private var most = UInt64.max
    /// What it was told last and may not have taken in, if it mattered.
    private var told: (size: UInt64, at: MonotonicInstant)?
    /// Sizes to which it is being made to grow, no larger than what it has been told meanwhile.
    private var growing: [Int: UInt64] = [:]
    private var lastGrowth = 0

    /// The file has, or has had, this size; the kernel is told, or knows by itself.
    mutating func mayBecome(_ size: UInt64) {
        least = min(least, size)
        most = max(most, size)
        if growing.isEmpty { return }
        for number in growing.keys { growing[number] = min(growing[number]!, size) }
    }

    /// The kernel is being made to grow the file; `endGrowing` follows.
    mutating func beginGrowing(to size: UInt64) -> Int {
        lastGrowth += 1
        growing[lastGrowth] = size
        return lastGrowth
    }

    mutating func endGrowing(_ number: Int) {
        least = max(least, growing.removeValue(forKey: number) ?? 0)
    }

    /// Somebody who goes by it has been told.
    mutating func wasTold(_ size: UInt64, at now: MonotonicInstant) {
        told = size < most || size > least ? (size, now) : nil
    }

    /// When it is sure to have been taken in.
    func takenIn(after interval: Interval) -> MonotonicInstant? { told.map { $0.at + interval } }

    /// What was told has been taken in.
    mutating func wasTakenIn() {
        if let told { most = told.size }
        told = nil
    }
}
