import Glibc
import ShoalLinearizability

/// A file of blocks of 4 KiB, each written and read as a whole: through descriptors that stay open and through new ones, to
/// read and to write, and to read only, which a kernel may answer from its pages.
final class RegisterFile: SharedObject {
    let number: UInt64
    private var state = [UInt64](repeating: 0, count: Blocks.count)
    /// Processes keep it open to write. Otherwise they open it for each write, and mounts are mostly without a writer.
    private let keepsWriters: Bool
    /// The blocks that are used just now: few, so that processes meet.
    private var hot: [UInt64] = [0]
    private var touched: Set<UInt64> = []
    private let usage: Usage

    init(_ number: UInt64, _ random: inout Random) {
        self.number = number
        keepsWriters = random.one(in: 2)
        usage = Usage(&random)
    }

    var creation: Step { Step(number, .makeFile, UInt64(Blocks.count * Blocks.bytes)) }

    func draw(_ values: inout Values) -> Step {
        if values.random.one(in: 100) {
            hot = (0...values.random.below(3)).map { _ in UInt64(values.random.below(Blocks.count)) }
        }
        if let step = usage.closing(number, &values.random) { return step }
        let block = values.random.pick(hot)
        touched.insert(block)
        if values.random.one(in: usage.changeEvery) {
            let isKept = keepsWriters && !values.random.one(in: 8)
            return Step(number, isKept ? .writeKept : .writeFresh, block, value: values.fresh())
        }
        let reads: [Step.Action] = [.readKept, .readKept, .readFresh, keepsWriters ? .readWriter : .readKept]
        return Step(number, values.random.pick(reads), block)
    }

    func look(isLast: Bool, _ random: inout Random) -> [Step] {
        let blocks = isLast ? Array(0..<UInt64(Blocks.count)) : touched.sorted()
        let action: Step.Action = random.one(in: 2) ? .readKept : .readFresh
        return blocks.map { Step(number, action, $0) }
    }

    func judge(_ events: [Event], _ judge: inout Judge) {
        touched = []
        var histories: [UInt64: History<RegisterModel>] = [:]
        var seenLast: [UInt64: UInt64] = [:]
        for event in events {
            let step = event.step
            switch step.action {
            case .openReader, .closeWriter: _ = judge.isKnown(event)
            case .writeKept, .writeFresh:
                histories[step.argument, default: History()].add(
                    .write(step.value), event, isKnown: judge.isKnown(event))
            default:
                guard judge.isKnown(event) else { continue }
                guard event.outcome.found.count == 1, let value = event.outcome.found.first else {
                    judge.complain("a block of which one page was written at several times", [event])
                    continue
                }
                histories[step.argument, default: History()].add(.read(value), event)
                seenLast[step.argument] = value
            }
        }
        for (block, history) in histories.sorted(by: { $0.key < $1.key }) {
            judge.check("object \(number), block \(block)", history, from: state[Int(block)])
            state[Int(block)] = seenLast[block] ?? state[Int(block)]
        }
    }
}
