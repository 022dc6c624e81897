import ShoalLinearizability
import ShoalTestSupport
import ShoalTypes
import Testing

@Suite("What is left of a history to show what is wrong")
struct ReductionTests {
    private typealias Register = ObservedOperation<RegisterModel.Operation>
    private typealias Counter = ObservedOperation<CounterModel.Operation>

    @Test("A stale read among much else is shown by the write that it missed and, if need be, who read that first")
    func staleRead() {
        var history: [Register] = []
        for number in 1...20 {
            history.append(Register(.write(UInt64(number)), begin: 100 * number, end: 100 * number + 10))
            history.append(Register(.read(UInt64(number)), begin: 100 * number + 20, end: 100 * number + 30))
        }
        history.append(Register(.read(7), begin: 850, end: 860))
        let shown = RegisterModel.smallestViolation(of: history, from: 0).map { history[$0].operation }
        #expect(shown == [.write(7), .write(8), .read(8), .read(7)] || shown == [.write(7), .write(8), .read(7)])
    }

    @Test("Two who counted from the same number are all that is shown of a lost update")
    func lostUpdate() {
        var history = (0..<10).map { Counter(.increment(before: UInt64($0)), begin: 10 * $0, end: 10 * $0 + 5) }
        history.append(Counter(.increment(before: 3), begin: 31, end: 36))
        history += (0..<10).map { Counter(.read(UInt64($0 / 2)), begin: 200 + $0, end: 201 + $0) }
        let shown = CounterModel.smallestViolation(of: history, from: 0)
        #expect(shown.map { history[$0].operation }.suffix(2).allSatisfy { $0 == .increment(before: 3) })
        #expect(shown.count == 5, "those up to it are needed to get there")
    }

    @Test("What is shown of random histories cannot be explained, and a history that can is left as it is")
    func random() {
        var random = SeededGenerator("reduction")
        var reduced = 0
        for _ in 0..<500 {
            var steps = Array(0..<24).shuffled(using: &random)
            let history = (0..<12).map { number in
                let pair = [steps.removeLast(), steps.removeLast()].sorted()
                let operation: RegisterModel.Operation =
                    random.chance(1, in: 2) ? .write(UInt64(number)) : .read(UInt64.random(in: 0...11, using: &random))
                return Register(operation, begin: pair[0], end: pair[1])
            }
            let shown = RegisterModel.smallestViolation(of: history, from: 0)
            if case .holds = linearizability(of: history, RegisterModel.self, from: 0) {
                #expect(shown.count == history.count)
                continue
            }
            reduced += shown.count < history.count ? 1 : 0
            // Whole: what was cut off behind may have been what ended too late to matter.
            let verdict = linearizability(of: shown.map { history[$0] }, RegisterModel.self, from: 0)
            #expect(verdict != .holds, "\(shown.map { history[$0] })")
        }
        #expect(reduced > 300)
    }

    @Test(
        "A rename through a kernel may find that another has moved the file to that name; nothing else may be without effect"
    )
    func renameUnlessMoved() {
        typealias Entry = ObservedOperation<DirectoryModel.Operation>
        func judge(_ history: [Entry]) -> Linearizability {
            linearizability(of: history, DirectoryModel.self, from: ["a": InodeID(7)])
        }
        let moved = Entry(.rename("a", to: "b", wasThere: true), begin: 1, end: 4)
        let again = Entry(.renameUnlessMoved("a", to: "b"), begin: 2, end: 5)
        #expect(judge([moved, again, Entry(.lookup("b", InodeID(7)), begin: 6, end: 7)]) == .holds)
        #expect(judge([again, Entry(.lookup("a", InodeID(7)), begin: 6, end: 7)]) != .holds)
        #expect(judge([moved, Entry(.rename("a", to: "b", wasThere: true), begin: 2, end: 5)]) != .holds)
    }
}
