extension SequentialModel {
    /// As little of a history that cannot be explained as shows it: cut off behind the first end that does, and without what
    /// can be spared.
    ///
    /// - Returns: Indices of `history`, in order of their begins. All of them, if the search is given up on the way.
    package static func smallestViolation(
        of history: [ObservedOperation<Operation>], from initial: State, stepsMax: Int = 300_000
    ) -> [Int] {
        var kept = history.indices.sorted { history[$0].begin < history[$1].begin }
        var horizon = Int.max
        func isViolated(_ indices: [Int], until horizon: Int) -> Bool {
            // What ends later may have taken effect before, or not: it had begun.
            let part = indices.filter { history[$0].begin <= horizon }.map { index in
                var operation = history[index]
                if let end = operation.end, end > horizon { operation.end = nil }
                return operation
            }
            if case .isViolated = linearizability(of: part, Self.self, from: initial, stepsMax: stepsMax) {
                return true
            }
            return false
        }
        guard isViolated(kept, until: horizon) else { return kept }
        for end in history.compactMap(\.end).sorted() where isViolated(kept, until: end) {
            horizon = end
            break
        }
        kept.removeAll { history[$0].begin > horizon }
        // From the back: what came last is the least likely to be needed, but for the end that shows it.
        var hasChanged = true
        while hasChanged {
            hasChanged = false
            for index in kept.reversed() {
                let others = kept.filter { $0 != index }
                let operations = others.map { history[$0].operation }
                guard canBeSpared(history[index].operation, among: operations), isViolated(others, until: horizon)
                else { continue }
                kept = others
                hasChanged = true
            }
        }
        return kept
    }
}
