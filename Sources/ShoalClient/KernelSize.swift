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
    /// The last size in an answer, and when: some answers are taken in however late (SETATTR, CREATE, LINK).
    private var answered: (size: UInt64, at: MonotonicInstant)?
    /// Somebody was told of a shorter file, and may not have taken that in.
    private(set) var mayBeTooLarge = false
    /// The kernel is being made to grow the file: to so much, or less if it is told of less meanwhile.
    private var growing: UInt64?
    /// Those who wait for that.
    private var waiters: [() -> Void] = []

    var isGrowing: Bool { growing != nil }
    /// Nobody has been told of a shorter file, and nobody waits.
    var isSettled: Bool { !mayBeTooLarge && !isGrowing && waiters.isEmpty }

    /// The file has, or has had, this size: the kernel may know.
    mutating func mayBecome(_ size: UInt64) {
        least = min(least, size)
        most = max(most, size)
        if let growing { self.growing = min(growing, size) }
    }

    /// The kernel is being answered with this size.
    mutating func isAnswered(_ size: UInt64, at now: MonotonicInstant) {
        mayBecome(size)
        answered = (size, now)
    }

    /// The kernel is being made to grow the file; `endGrowing` follows.
    mutating func beginGrowing(to size: UInt64) {
        growing = size
        most = max(most, size)
    }

    /// - Parameters:
    ///   - interval: For so long an answer may not have been taken in.
    ///   - changed: When the size may have changed last: of answers before that nothing is known if none came since this was
    ///     made.
    /// - Returns: Who has waited.
    mutating func endGrowing(
        at now: MonotonicInstant, takenIn interval: Interval, changed: MonotonicInstant?
    ) -> [() -> Void] {
        var size = growing ?? 0
        if let answered {
            if answered.at + interval > now { size = min(size, answered.size) }
        } else if let changed, changed + interval > now {
            size = 0
        }
        least = max(least, size)
        growing = nil
        defer { waiters = [] }
        return waiters
    }

    mutating func wait(_ body: @escaping () -> Void) { waiters.append(body) }

    /// Somebody who goes by it has been told.
    mutating func wasTold(_ size: UInt64) { mayBeTooLarge = size < most || size > least }

    /// What was answered last has been taken in.
    mutating func wasTakenIn() {
        mayBeTooLarge = false
        if let answered, growing == nil { most = max(least, answered.size) }
    }
}
