/// How often each call was made, and how long it took.
struct CallTimes {
    private struct Sum {
        var count = 0
        var nanoseconds = 0
        var longest = 0
    }
    private var sums: [Step.Action: Sum] = [:]

    mutating func add(_ events: [Event]) {
        for event in events {
            let time = event.outcome.end - event.outcome.begin
            sums[event.step.action, default: Sum()].count += 1
            sums[event.step.action, default: Sum()].nanoseconds += time
            sums[event.step.action, default: Sum()].longest = max(time, sums[event.step.action]?.longest ?? 0)
        }
    }

    var longest: String {
        guard let (action, sum) = sums.max(by: { $0.value.longest < $1.value.longest }) else { return "no call" }
        return "the longest call took \(sum.longest / 1_000_000) ms (\(action))"
    }

    /// One line for each, the most time first.
    var table: String {
        sums.sorted { $0.value.nanoseconds > $1.value.nanoseconds }.map { action, sum in
            "  \(action): \(sum.count) calls, \(sum.nanoseconds / sum.count / 1000) us each, "
                + "\(sum.longest / 1000) us at most"
        }.joined(separator: "\n")
    }
}
