import ShoalTypes

/// One connection that came in, named by the shell; never reused while the server runs.
package struct ConnectionID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// The one reply owed for one request, named by the shell; never reused while the server runs.
package struct RequestID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    /// Stands for no request: the server does something of its own. The shell numbers requests from 1.
    static let own = RequestID(0)
}

/// Something the core asked the shell to do and to report on: a recall, a glimpse, a deletion, a sync.
package struct QuestionID: TypedNumber {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// When an event happened, by both clocks of the server.
package struct Moment: Sendable {
    package var now: MonotonicInstant
    /// For file times.
    package var wallClock: Timestamp
    package init(now: MonotonicInstant, wallClock: Timestamp) {
        self.now = now
        self.wallClock = wallClock
    }
}
