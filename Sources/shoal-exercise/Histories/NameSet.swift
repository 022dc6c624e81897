import Glibc
import ShoalLinearizability
import ShoalTypes

/// Names in a directory, or in two: made, removed, given another name, looked for; and listed, where it is one.
final class NameSet: SharedObject {
    static let count = 6
    let number: UInt64
    private var state: [String: InodeID] = [:]
    /// The names are by turns in the one and in the other; then nothing is listed, which would show only one of them.
    private let isTwo: Bool

    init(_ number: UInt64, isTwo: Bool) { (self.number, self.isTwo) = (number, isTwo) }

    /// Those up to `count` are in the directory a, the ones behind in b.
    static func name(_ number: Int) -> String { "\(number < count ? "a" : "b")/n\(number)" }
    /// The number of a name in a listing of a.
    static func number(_ name: [UInt8]) -> UInt64 {
        name.count == 2 && name[0] == UInt8(ascii: "n") ? UInt64(name[1]) - UInt64(UInt8(ascii: "0")) : 99
    }

    var creation: Step { Step(number, .makeDirectories) }

    private func drawName(_ random: inout Random) -> UInt64 {
        UInt64(random.below(NameSet.count) + (isTwo && random.one(in: 2) ? NameSet.count : 0))
    }

    func draw(_ values: inout Values) -> Step {
        let name = drawName(&values.random)
        switch values.random.below(9) {
        case 0, 1: return Step(number, .create, name)
        case 2: return Step(number, .unlink, name)
        case 3:
            var target = drawName(&values.random)
            if target == name { target = (name + 1) % UInt64(NameSet.count) }
            return Step(number, .rename, name, value: target)
        case 4, 5: return isTwo ? Step(number, .look, name) : Step(number, .list)
        default: return Step(number, .look, name)
        }
    }

    func look(isLast: Bool, _ random: inout Random) -> [Step] {
        isTwo ? (0..<UInt64(2 * NameSet.count)).map { Step(number, .look, $0) } : [Step(number, .list)]
    }

    func judge(_ events: [Event], _ judge: inout Judge) {
        var history = History<DirectoryModel>()
        var after: [String: InodeID] = isTwo ? state : [:]
        /// Creations of which it is not known whether they have happened, and which inode they would have made.
        var open: [Event] = []
        var seen: Set<InodeID> = []
        var made: Set<InodeID> = []
        for event in events {
            let (step, found) = (event.step, event.outcome.found)
            let name = NameSet.name(Int(step.argument))
            switch step.action {
            case .create:
                guard judge.isKnown(event, or: EEXIST) else {
                    open.append(event)
                    continue
                }
                let inode = event.outcome.result < 0 ? nil : found.first.map { InodeID($0) }
                if let inode { made.insert(inode) }
                history.add(.create(name, inode), event)
            case .unlink:
                let isKnown = judge.isKnown(event, or: ENOENT)
                history.add(
                    .unlink(name, wasThere: event.outcome.result >= 0 || !isKnown), event, isKnown: isKnown)
            case .rename:
                let isKnown = judge.isKnown(event, or: ENOENT)
                let wasThere = event.outcome.result >= 0 || !isKnown
                let target = NameSet.name(Int(step.value))
                history.add(
                    wasThere && isRaced(event, events)
                        ? .renameUnlessMoved(name, to: target) : .rename(name, to: target, wasThere: wasThere),
                    event, isKnown: isKnown)
            case .look:
                guard judge.isKnown(event, or: ENOENT) else { continue }
                let inode = event.outcome.result < 0 ? nil : found.first.map { InodeID($0) }
                if let inode { seen.insert(inode) }
                after[name] = inode
                history.add(.lookup(name, inode), event)
            case .list:
                guard judge.isKnown(event) else { continue }
                let pairs = stride(from: 0, to: found.count, by: 2).map {
                    (NameSet.name(Int(found[$0])), InodeID(found[$0 + 1]))
                }
                let names = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
                if names.count != pairs.count { judge.complain("object \(number): a name is listed twice", [event]) }
                seen.formUnion(names.values)
                after = names
                history.add(.list(names), event)
            default: break
            }
        }
        // An inode that nobody is known to have made is one of those.
        for event in open {
            let name = NameSet.name(Int(event.step.argument))
            let unmade = seen.subtracting(made).subtracting(state.values).sorted { $0.rawValue < $1.rawValue }
            for inode in unmade + [InodeID(UInt64.max - UInt64(event.process))] {
                history.add(.create(name, inode), event, isKnown: false)
            }
        }
        judge.check("object \(number), the names of \(isTwo ? "two directories" : "a directory")", history, from: state)
        state = after
    }

    /// Whether meanwhile another mount gives the same name to something (docs/decisions/0025).
    private func isRaced(_ event: Event, _ others: [Event]) -> Bool {
        others.contains { other in
            other.step.action == .rename && other.step.value == event.step.value && other.mount != event.mount
                && other.outcome.begin <= event.outcome.end && event.outcome.begin <= other.outcome.end
        }
    }
}
