import ShoalLinearizability
import ShoalTestSupport
import ShoalTypes
import Testing

@Suite("Linearizability")
struct LinearizabilityTests {
    private typealias Register = ObservedOperation<RegisterModel.Operation>

    private func judge(_ history: [Register], stepsMax: Int = 100_000) -> Linearizability {
        linearizability(of: history, RegisterModel.self, from: 0, stepsMax: stepsMax)
    }

    @Test("A read beside a write may find either value; after it only the new one; and nobody goes back")
    func register() {
        let write = Register(.write(1), begin: 1, end: 6)
        #expect(judge([write, Register(.read(0), begin: 2, end: 3), Register(.read(1), begin: 4, end: 5)]) == .holds)
        #expect(
            judge([write, Register(.read(1), begin: 2, end: 3), Register(.read(0), begin: 4, end: 5)])
                == .isViolated(explained: 2))
        #expect(judge([write, Register(.read(0), begin: 7, end: 8)]) == .isViolated(explained: 1))
        #expect(judge([write, Register(.read(2), begin: 7, end: 8)]) != .holds)
    }

    @Test("What has no known end may take effect at any later time or never, but once, and not before it begins")
    func indefinite() {
        let lost = Register(.write(1), begin: 3, end: nil)
        func reads(_ values: UInt64...) -> [Register] {
            values.enumerated().map { Register(.read($1), begin: 10 + 2 * $0, end: 11 + 2 * $0) }
        }
        #expect(judge([lost] + reads(0, 0, 1, 1)) == .holds)
        #expect(judge([lost] + reads(0, 0)) == .holds)
        #expect(judge([lost] + reads(0, 1, 0)) != .holds)
        #expect(judge([lost, Register(.read(1), begin: 1, end: 2)]) != .holds)
    }

    @Test("A register, a size, a log and a directory are judged as an exhaustive search does, on random histories")
    func exhaustive() {
        var random = SeededGenerator("linearizability")
        var verdicts: [Bool: Int] = [:]
        for _ in 0..<3000 {
            let history = randomHistory(&random)
            let holds = judge(history) == .holds
            verdicts[holds, default: 0] += 1
            #expect(holds == Self.anyOrder(of: history), "\(history)")
        }
        #expect(verdicts[true, default: 0] > 300 && verdicts[false, default: 0] > 300, "one-sided: \(verdicts)")
    }

    private func randomHistory(_ random: inout SeededGenerator) -> [Register] {
        var steps = Array(0..<12).shuffled(using: &random)
        return (0..<6).map { number in
            let pair = [steps.removeLast(), steps.removeLast()].sorted()
            let isWrite = random.chance(1, in: 2)
            let operation: RegisterModel.Operation =
                isWrite ? .write(UInt64(number + 1)) : .read(UInt64.random(in: 0...6, using: &random))
            return Register(operation, begin: pair[0], end: isWrite && random.chance(1, in: 6) ? nil : pair[1])
        }
    }

    /// Every order, and every choice of what has not happened.
    private static func anyOrder(of history: [Register], state: UInt64 = 0) -> Bool {
        if history.allSatisfy({ $0.end == nil }) { return true }
        let earliestEnd = history.compactMap(\.end).min() ?? .max
        return history.indices.contains { index in
            guard history[index].begin < earliestEnd,
                let after = RegisterModel.apply(history[index].operation, to: state)
            else { return false }
            var rest = history
            rest.remove(at: index)
            return anyOrder(of: rest, state: after)
        }
    }

    @Test("A search that grows too long is given up, and says so")
    func bound() {
        let writes = (1...30).map { Register(.write(UInt64($0)), begin: $0, end: 100) }
        let wrong = writes + [Register(.read(99), begin: 200, end: 201)]
        #expect(judge(wrong, stepsMax: 1000) == .isUndecided)
    }

    @Test("A directory is judged as a whole: a rename takes one name away and gives another at one instant")
    func directory() {
        typealias Entry = ObservedOperation<DirectoryModel.Operation>
        func judge(_ history: [Entry]) -> Linearizability {
            linearizability(of: history, DirectoryModel.self, from: [:])
        }
        let made = Entry(.create("a", InodeID(7)), begin: 1, end: 2)
        let moved = Entry(.rename("a", to: "b", wasThere: true), begin: 3, end: 8)
        #expect(judge([made, moved, Entry(.list(["b": InodeID(7)]), begin: 4, end: 5)]) == .holds)
        #expect(judge([made, moved, Entry(.list([:]), begin: 4, end: 5)]) != .holds, "neither name")
        #expect(
            judge([made, moved, Entry(.list(["a": InodeID(7), "b": InodeID(7)]), begin: 4, end: 5)]) != .holds, "both")
        #expect(judge([made, Entry(.create("a", InodeID(8)), begin: 3, end: 4)]) != .holds, "made twice")
    }
}
