import ShoalLinearizability

/// A number in a file, counted up under a lock, and read without one.
final class CounterFile: SharedObject {
    let number: UInt64
    private var state: UInt64 = 0
    /// `Numbers.Lock`.
    private let lock: UInt64
    private let usage: Usage

    init(_ number: UInt64, _ random: inout Random) {
        self.number = number
        lock = UInt64(random.below(3))
        usage = Usage(&random)
    }

    /// One block, full of zeros.
    var creation: Step { Step(number, .makeFile, UInt64(Blocks.bytes)) }

    func draw(_ values: inout Values) -> Step {
        if let step = usage.closing(number, &values.random) { return step }
        if values.random.one(in: usage.changeEvery) {
            return Step(number, values.random.one(in: 6) ? .incrementFresh : .increment, lock)
        }
        return Step(number, values.random.pick([.numberKept, .numberKept, .numberWriter, .numberFresh]))
    }

    func look(isLast: Bool, _ random: inout Random) -> [Step] {
        [Step(number, random.one(in: 2) ? .numberKept : .numberFresh)]
    }

    func judge(_ events: [Event], _ judge: inout Judge) {
        var history = History<CounterModel>()
        var seenLast = state
        for event in events {
            let isKnown = judge.isKnown(event)
            guard let found = event.outcome.found.first else { continue }
            switch event.step.action {
            case .openReader, .closeWriter: break
            case .increment, .incrementFresh: history.add(.increment(before: found), event, isKnown: isKnown)
            default:
                guard isKnown else { continue }
                history.add(.read(found), event)
                seenLast = found
            }
        }
        judge.check("object \(number), a counter under lock \(lock)", history, from: state)
        state = seenLast
    }
}
