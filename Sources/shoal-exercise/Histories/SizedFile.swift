import Glibc
import ShoalLinearizability

/// A file that is cut and made longer, and whose size is asked for in every way but those that go by what the kernel has noted
/// of it, lseek(2) and reading from its pages: a cut by another mount may escape them for a moment (docs/decisions/0026).
final class SizedFile: SharedObject {
    let number: UInt64
    private var state: UInt64 = 0

    private let usage: Usage

    init(_ number: UInt64, _ random: inout Random) {
        self.number = number
        usage = Usage(&random)
    }

    var creation: Step { Step(number, .makeFile, 0) }

    func draw(_ values: inout Values) -> Step {
        if let step = usage.closing(number, &values.random) { return step }
        guard values.random.one(in: usage.changeEvery) else {
            return Step(number, values.random.pick(SizedFile.looks))
        }
        let size = UInt64(values.random.below(Sizes.bytesMax) + 1)
        return Step(number, values.random.pick([.truncateKept, .truncatePath, .extend]), size)
    }

    private static let looks: [Step.Action] = [.sizeOfKept, .sizeOfPath, .sizeOfPath, .sizeByReading]

    func look(isLast: Bool, _ random: inout Random) -> [Step] { [Step(number, random.pick(SizedFile.looks))] }

    func judge(_ events: [Event], _ judge: inout Judge) {
        var history = History<SizeModel>()
        var seenLast = state
        for event in events {
            let isKnown = judge.isKnown(event)
            switch event.step.action {
            case .openReader, .closeWriter: break
            case .truncateKept, .truncatePath: history.add(.set(event.step.argument), event, isKnown: isKnown)
            case .extend: history.add(.extend(event.step.argument), event, isKnown: isKnown)
            default:
                guard isKnown, let size = event.outcome.found.first else { continue }
                history.add(.read(size), event)
                seenLast = size
            }
        }
        judge.check("object \(number), the size", history, from: state)
        state = seenLast
    }
}
