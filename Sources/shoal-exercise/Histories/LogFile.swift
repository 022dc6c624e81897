import ShoalLinearizability

/// A file to which records are appended. Where each has come to stand is known from the look after the round, so that an append
/// is an increment of the count, and what others have read is a prefix.
final class LogFile: SharedObject {
    let number: UInt64
    private var records: [UInt64] = []

    private let usage: Usage

    init(_ number: UInt64, _ random: inout Random) {
        self.number = number
        usage = Usage(&random)
    }

    var creation: Step { Step(number, .makeFile, 0) }

    func draw(_ values: inout Values) -> Step {
        if let step = usage.closing(number, &values.random) { return step }
        if values.random.one(in: usage.changeEvery) {
            return Step(number, values.random.one(in: 6) ? .appendFresh : .append, value: values.fresh())
        }
        switch values.random.below(6) {
        case 0: return Step(number, .tailFresh, UInt64(records.count))
        case 1: return Step(number, .sizeOfKept)
        case 2: return Step(number, values.random.one(in: 2) ? .sizeOfPath : .sizeBySeeking)
        default: return Step(number, .tailKept, UInt64(records.count))
        }
    }

    func look(isLast: Bool, _ random: inout Random) -> [Step] {
        [Step(number, random.one(in: 2) ? .tailKept : .tailFresh, isLast ? 0 : UInt64(records.count))]
    }

    func judge(_ events: [Event], _ judge: inout Judge) {
        let isKnown = events.map { judge.isKnown($0) }
        func isTail(_ index: Int) -> Bool {
            [.tailKept, .tailFresh].contains(events[index].step.action) && isKnown[index]
        }
        guard let last = events.indices.last(where: isTail) else { return }
        let base = records
        records = base.prefix(Int(events[last].step.argument)) + events[last].outcome.found
        guard records.starts(with: base) else {
            return judge.complain("object \(number), a log: what was in it has changed, from \(base)", [events[last]])
        }
        var history = History<CounterModel>()
        var places: [UInt64: Int] = [:]
        for (place, record) in records.enumerated() where places.updateValue(place, forKey: record) != nil {
            judge.complain("object \(number), a log: record \(record) is there twice", [events[last]])
        }
        for (index, event) in events.enumerated() {
            switch event.step.action {
            case .append, .appendFresh:
                if let place = places[event.step.value] {
                    history.add(.increment(before: UInt64(place)), event, isKnown: isKnown[index])
                } else if isKnown[index] {
                    judge.complain("object \(number), a log: an append is lost", [event, events[last]])
                }
            case .tailKept, .tailFresh:
                guard isKnown[index] else { continue }
                let (start, found) = (Int(event.step.argument), event.outcome.found)
                guard records.dropFirst(start).starts(with: found) else {
                    judge.complain(
                        "object \(number), a log: not what is there in the end", [event, events[last]])
                    continue
                }
                history.add(.read(UInt64(start + found.count)), event)
            case .sizeOfKept, .sizeOfPath, .sizeBySeeking:
                guard isKnown[index], let size = event.outcome.found.first else { continue }
                if size % UInt64(Records.bytes) != 0 {
                    judge.complain("object \(number), a log: part of a record", [event])
                }
                history.add(.read(size / UInt64(Records.bytes)), event)
            default: break
            }
        }
        judge.check("object \(number), a log", history, from: UInt64(base.count))
    }
}
