/// What an object does when its operations come one at a time.
package protocol SequentialModel {
    associatedtype State: Hashable
    associatedtype Operation
    /// The state after `operation`; nil if it could not have had the outcome that was observed.
    static func apply(_ operation: Operation, to state: State) -> State?
    /// Whether a history of `others` and `operation` that can be explained can be explained without `operation` too, as with what
    /// changes nothing.
    static func canBeSpared(_ operation: Operation, among others: [Operation]) -> Bool
}

/// One operation as it was observed from outside.
package struct ObservedOperation<Operation> {
    package var operation: Operation
    package let begin: Int
    /// Nil if it may take effect at any later time, or never: its outcome was not learned.
    package var end: Int?
    /// It does not count.
    package var isVoid = false

    package init(_ operation: Operation, begin: Int, end: Int?) {
        self.operation = operation
        self.begin = begin
        self.end = end
    }
}

package enum Linearizability: Equatable {
    case holds
    /// No order of the operations explains what was observed; at best the first so many that had ended are explained.
    case isViolated(explained: Int)
    /// The search was given up.
    case isUndecided
}

/// Whether operations can be put into an order, each at an instant between its begin and its end, in which a sequential
/// object would have behaved as observed (Herlihy and Wing, 1990). The search is that of Wing and Gong (1993), which remembers
/// where it has been in vain (Lowe, 2017).
///
/// - Parameter stepsMax: The search is given up after so many tries.
package func linearizability<Model: SequentialModel>(
    of history: [ObservedOperation<Model.Operation>], _: Model.Type, from initial: Model.State,
    stepsMax: Int = 300_000
) -> Linearizability {
    var search = LinearizationSearch<Model>(history: history, stepsLeft: stepsMax)
    if search.run(from: initial) { return .holds }
    return search.stepsLeft > 0 ? .isViolated(explained: search.explained) : .isUndecided
}

private struct LinearizationSearch<Model: SequentialModel> {
    struct Place: Hashable {
        var done: [UInt64]
        var state: Model.State
    }
    /// One choice that was made.
    struct Choice {
        let state: Model.State
        let candidates: [Int]
        var next = 0
        let minimalUndone: Int
    }

    let history: [ObservedOperation<Model.Operation>]
    var stepsLeft: Int
    var explained = 0
    private var visited: Set<Place> = []
    private var done: [UInt64]
    private let definiteCount: Int

    init(history: [ObservedOperation<Model.Operation>], stepsLeft: Int) {
        self.history = history.sorted { $0.begin < $1.begin }
        self.stepsLeft = stepsLeft
        done = Array(repeating: 0, count: (history.count + 63) / 64)
        definiteCount = history.count { $0.end != nil }
    }

    private func isDone(_ number: Int) -> Bool { done[number / 64] >> (number % 64) & 1 == 1 }
    private mutating func flip(_ number: Int) { done[number / 64] ^= 1 << (number % 64) }

    /// Those that may come next: begun before any other that is left has ended. Who ends first is tried first.
    private func candidates(from first: Int) -> (candidates: [Int], firstUndone: Int) {
        var firstUndone = first
        while firstUndone < history.count, isDone(firstUndone) { firstUndone += 1 }
        var earliestEnd = Int.max
        var found: [Int] = []
        var number = firstUndone
        while number < history.count, history[number].begin < earliestEnd {
            if !isDone(number) {
                found.append(number)
                earliestEnd = min(earliestEnd, history[number].end ?? .max)
            }
            number += 1
        }
        found.removeAll { history[$0].begin > earliestEnd }
        found.sort { (history[$0].end ?? .max, $0) < (history[$1].end ?? .max, $1) }
        return (found, firstUndone)
    }

    mutating func run(from initial: Model.State) -> Bool {
        var definiteDone = 0
        var state = initial
        var path: [(choice: Choice, taken: Int)] = []
        var (ready, first) = candidates(from: 0)
        var choice = Choice(state: state, candidates: ready, minimalUndone: first)
        while true {
            if definiteDone == definiteCount { return true }
            guard stepsLeft > 0 else { return false }
            stepsLeft -= 1
            if choice.next < choice.candidates.count {
                let number = choice.candidates[choice.next]
                choice.next += 1
                guard let after = Model.apply(history[number].operation, to: choice.state) else { continue }
                flip(number)
                guard visited.insert(Place(done: done, state: after)).inserted else {
                    flip(number)
                    continue
                }
                if history[number].end != nil { definiteDone += 1 }
                explained = max(explained, definiteDone)
                path.append((choice, number))
                state = after
                (ready, first) = candidates(from: choice.minimalUndone)
                choice = Choice(state: state, candidates: ready, minimalUndone: first)
            } else {
                guard let last = path.popLast() else { return false }
                flip(last.taken)
                if history[last.taken].end != nil { definiteDone -= 1 }
                choice = last.choice
            }
        }
    }
}
