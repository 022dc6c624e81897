import ShoalTypes

/// Which connection of each session is the newest: bytes on an older one may be ghosts of requests that were retried.
/// Bounded: past `sessionsMax`, sessions without a connection are forgotten, those that left first before the others.
package struct SessionConnections: Sendable {
    private struct Entry {
        var newest: ConnectionGeneration
        var isConnected: Bool
    }
    private var entries: [SessionID: Entry] = [:]
    private var departed: [SessionID] = []
    private let sessionsMax: Int

    package init(sessionsMax: Int) { self.sessionsMax = sessionsMax }

    /// A Hello of `session`. False if a newer connection is known already, or the table is full of live sessions.
    package mutating func greet(_ session: SessionID, _ generation: ConnectionGeneration) -> Bool {
        if let entry = entries[session] {
            guard generation >= entry.newest else { return false }
        } else if entries.count >= sessionsMax {
            forgetDeparted()
            guard entries.count < sessionsMax else { return false }
        }
        entries[session] = Entry(newest: generation, isConnected: true)
        return true
    }

    /// The connection is gone. What arrived on it and still waits is refused only once a newer connection says Hello.
    package mutating func disconnect(_ session: SessionID, _ generation: ConnectionGeneration) {
        guard entries[session]?.newest == generation else { return }
        entries[session]?.isConnected = false
        departed.append(session)
    }

    package func isNewest(_ session: SessionID, _ generation: ConnectionGeneration) -> Bool {
        entries[session]?.newest == generation
    }

    private mutating func forgetDeparted() {
        let dropped = departed.prefix(max(1, departed.count / 2))
        for session in dropped where entries[session]?.isConnected == false { entries[session] = nil }
        departed.removeFirst(dropped.count)
    }
}
