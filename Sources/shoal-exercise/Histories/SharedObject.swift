import Glibc
import ShoalLinearizability

/// Something that all processes use at the same time, and whose history is judged round by round.
protocol SharedObject: AnyObject {
    var number: UInt64 { get }
    /// How one process makes it.
    var creation: Step { get }
    /// Something for a process to do with it.
    func draw(_ values: inout Values) -> Step
    /// What shows its state while nobody changes it; after a round, what the round may have changed.
    /// - Parameter isLast: All of it.
    func look(isLast: Bool, _ random: inout Random) -> [Step]
    /// Judges what was seen since the last call, which ended with a look by each mount.
    func judge(_ events: [Event], _ judge: inout Judge)
}

/// Random numbers, and numbers that are written only once.
struct Values {
    var random: Random
    private(set) var last: UInt64 = 0
    init(random: Random) { self.random = random }
    mutating func fresh() -> UInt64 {
        last += 1
        return last
    }
}

/// How a file is used.
struct Usage {
    /// One call of so many changes it: where few do, kernels serve reads from their pages.
    let changeEvery: Int

    init(_ random: inout Random) { changeEvery = random.pick([2, 3, 8, 25]) }

    /// Now and then a descriptor is closed. One to read is mostly kept: whoever opens it anew while others write gets none
    /// that the kernel serves from its pages.
    func closing(_ object: UInt64, _ random: inout Random) -> Step? {
        if random.one(in: 40) { return Step(object, .closeWriter) }
        return random.one(in: 600) ? Step(object, .openReader) : nil
    }
}

/// What becomes of histories.
struct Judge {
    /// Errors may leave open whether something has happened: something is being killed.
    let allowsFaults: Bool
    private(set) var complaints: [String] = []
    /// Objects whose state is not known any more.
    private(set) var spent: Set<UInt64> = []
    private(set) var unknownOutcomes = 0
    private(set) var undecided = 0
    private(set) var judged = 0

    init(allowsFaults: Bool) { self.allowsFaults = allowsFaults }

    mutating func complain(_ what: String, _ events: [Event]) {
        complaints.append(([what] + Judge.lines(events)).joined(separator: "\n"))
    }

    /// Whether the call succeeded, or failed in one of the ways that say something about the object. Otherwise its outcome
    /// is unknown; where that must not be, this complains.
    mutating func isKnown(_ event: Event, or expected: CInt...) -> Bool {
        let result = event.outcome.result
        if result >= 0 || expected.contains(CInt(-result)) { return true }
        if allowsFaults, [EIO, ETIMEDOUT].contains(CInt(-result)) {
            unknownOutcomes += 1
            spent.insert(event.step.object)
        } else {
            complain("an error that must not be", [event])
        }
        return false
    }

    mutating func giveUp(_ object: UInt64) { spent.insert(object) }

    mutating func check<Model: SequentialModel>(
        _ what: String, _ history: History<Model>, from state: Model.State
    ) {
        judged += history.operations.count
        switch linearizability(of: history.operations, Model.self, from: state) {
        case .holds: break
        case .isUndecided: undecided += 1
        case .isViolated:
            let shown = Model.smallestViolation(of: history.operations, from: state).map { history.events[$0] }
            complain("\(what), at first \(state): no order explains what was seen", shown)
        }
    }

    /// One line for each, with times in microseconds since the first.
    private static func lines(_ events: [Event]) -> [String] {
        let start = events.map(\.outcome.begin).min() ?? 0
        return events.sorted { $0.outcome.begin < $1.outcome.begin }.map { event in
            let outcome = event.outcome
            let times = [outcome.begin, outcome.end].map { String(Double(($0 - start) / 100) / 10) }
            let answer = outcome.result < 0 ? String(cString: strerror(CInt(-outcome.result))) : "\(outcome.found)"
            return
                "  \(times[0]) ... \(times[1]) us  process \(event.process), mount \(event.mount): "
                + "\(event.step.text) -> \(answer)"
        }
    }
}

/// What was seen of an object, for the search; and the events that it came from.
struct History<Model: SequentialModel> {
    private(set) var operations: [ObservedOperation<Model.Operation>] = []
    private(set) var events: [Event] = []

    /// - Parameter isKnown: False: it may have taken effect, or take effect later, or never.
    mutating func add(_ operation: Model.Operation, _ event: Event, isKnown: Bool = true) {
        // What ends at the nanosecond at which something else begins may come after it.
        let end = isKnown ? 2 * event.outcome.end + 1 : nil
        operations.append(ObservedOperation(operation, begin: 2 * event.outcome.begin, end: end))
        events.append(event)
    }
}
