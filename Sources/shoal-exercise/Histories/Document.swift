import ShoalLinearizability

/// A file that is replaced as a whole: a new one is written and takes its name. Whoever opens it finds the old one or the new
/// one, never none and never a part.
final class Document: SharedObject {
    let number: UInt64
    private var state: UInt64 = 0

    init(_ number: UInt64) { self.number = number }

    var creation: Step { Step(number, .makeDocument) }

    func draw(_ values: inout Values) -> Step {
        values.random.one(in: 3)
            ? Step(number, .replace, value: values.fresh()) : Step(number, .readDocument)
    }

    func look(isLast: Bool, _ random: inout Random) -> [Step] { [Step(number, .readDocument)] }

    func judge(_ events: [Event], _ judge: inout Judge) {
        var history = History<RegisterModel>()
        var seenLast = state
        for event in events {
            let isKnown = judge.isKnown(event)
            if event.step.action == .replace {
                history.add(.write(event.step.value), event, isKnown: isKnown)
            } else if isKnown {
                guard event.outcome.found.count == 1, let value = event.outcome.found.first else {
                    judge.complain("object \(number), a replaced file: part of one and part of another", [event])
                    continue
                }
                history.add(.read(value), event)
                seenLast = value
            }
        }
        judge.check("object \(number), a replaced file", history, from: state)
        state = seenLast
    }
}
