import ShoalTypes

/// What `shoal status` shows of the server's own work.
struct Statistics {
    /// Since the start.
    var requests: UInt64 = 0
    private(set) var requestsPerSecond = 0.0
    private var requestsBefore: UInt64 = 0
    private var measuredAt: MonotonicInstant?
    private static let window = Interval.seconds(1)

    /// A moving average over some seconds; call it at any rate.
    mutating func tick(_ now: MonotonicInstant) {
        guard let before = measuredAt else { return measuredAt = now }
        guard now - before >= Statistics.window else { return }
        let rate = Double(requests - requestsBefore) / (now - before).seconds
        requestsPerSecond += (rate - requestsPerSecond) / 2
        if requestsPerSecond < 0.05 { requestsPerSecond = 0 }
        requestsBefore = requests
        measuredAt = now
    }
}
