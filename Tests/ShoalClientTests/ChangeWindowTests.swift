import ShoalWire
import ShoalSimulation
import Testing
import ShoalTestSupport

@testable import ShoalClient

@Suite("The changes of a session that are under way")
struct ChangeWindowTests {
    @Test("No two changes under way are further apart than the server remembers, in whatever order they end")
    func random() {
        let seed = requestedSeed() ?? 1
        print("SHOAL_TEST_SEED=\(seed)")
        var random = SeededGenerator(seed: seed)
        var window = ChangeWindow()
        var open: Set<UInt64> = []
        var next: UInt64 = 1
        for _ in 0..<4_000 {
            #expect(window.admits(0))
            let isAdmitted = open.min().map { next < $0 + Caller.changesInFlightMax } ?? true
            #expect(window.admits(next) == isAdmitted)
            if isAdmitted, random.chance(3, in: 5) {
                window.insert(next)
                open.insert(next)
                next += 1
            } else if let ended = open.sorted().randomElement(using: &random) {
                window.remove(ended)
                window.remove(ended)
                open.remove(ended)
            }
        }
    }
}
