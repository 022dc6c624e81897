/// Who locks, within one session: the kernel's number for a process's descriptor table (POSIX record locks) or for one
/// open file description (OFD locks, flock).
package struct LockOwner: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The two families of locks, which do not see each other (Linux: fcntl(2), flock(2)).
package enum LockKind: UInt8, Sendable, CaseIterable, Comparable {
    /// Byte ranges: POSIX record locks and OFD locks of fcntl(2), lockf(3).
    case record = 1
    /// flock(2): the whole file.
    case whole = 2
    package static func < (lhs: LockKind, rhs: LockKind) -> Bool { lhs.rawValue < rhs.rawValue }
}

package enum LockMode: UInt8, Sendable, CaseIterable {
    /// F_RDLCK, LOCK_SH: any number of owners.
    case shared = 1
    /// F_WRLCK, LOCK_EX: one owner.
    case exclusive = 2

    /// Whether two owners cannot have these on one byte.
    package func conflicts(with other: LockMode) -> Bool { self == .exclusive || other == .exclusive }
}

/// Bytes `first...last` of a file; `last` is at most `bytesMax`, which stands for "to the end, however far it grows".
package struct LockRange: Hashable, Sendable {
    package var first: UInt64
    package var last: UInt64
    /// OFFSET_MAX of the kernel.
    package static let bytesMax = UInt64(Int64.max)
    package static let whole = LockRange(first: 0, last: bytesMax)

    package init(first: UInt64, last: UInt64) {
        self.first = first
        self.last = last
    }
    package var isValid: Bool { first <= last && last <= LockRange.bytesMax }
    package func overlaps(_ other: LockRange) -> Bool { first <= other.last && other.first <= last }
}
