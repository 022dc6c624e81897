/// A moment on this machine's monotonic clock, in nanoseconds from an arbitrary origin. Never sent to another machine.
package struct MonotonicInstant: TypedNumber {
    package let rawValue: Int64
    package init(rawValue: Int64) { self.rawValue = rawValue }

    package static func + (instant: MonotonicInstant, interval: Interval) -> MonotonicInstant {
        MonotonicInstant(instant.rawValue + interval.nanoseconds)
    }
    package static func - (later: MonotonicInstant, earlier: MonotonicInstant) -> Interval {
        Interval(nanoseconds: later.rawValue - earlier.rawValue)
    }
}

/// A length of time, in nanoseconds.
package struct Interval: Hashable, Comparable, Sendable {
    package let nanoseconds: Int64
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
    package static func < (lhs: Interval, rhs: Interval) -> Bool { lhs.nanoseconds < rhs.nanoseconds }
    package static func milliseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1_000_000) }
    package static func seconds(_ count: Int64) -> Interval { milliseconds(count * 1000) }
    package static func microseconds(_ count: Int64) -> Interval { Interval(nanoseconds: count * 1000) }
    package static func * (interval: Interval, factor: Int64) -> Interval {
        Interval(nanoseconds: interval.nanoseconds * factor)
    }
    package static func / (interval: Interval, divisor: Int64) -> Interval {
        Interval(nanoseconds: interval.nanoseconds / divisor)
    }
    package var milliseconds: Int64 { nanoseconds / 1_000_000 }
    package var seconds: Double { Double(nanoseconds) / 1e9 }
}
