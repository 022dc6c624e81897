import ShoalClient
import ShoalSimulation
import ShoalTestSupport
import Testing

/// A share of the seeds that `shoal-simulate` runs, in a debug build.
@Suite("Simulation")
struct SimulationTests {
    @Test("Under any faults what mounts see can be explained, what was synced is kept, and everything ends")
    func seeds() {
        let first = requestedSeed() ?? UInt64.random(in: 1_000_000...UInt64.max / 2)
        let count: UInt64 = requestedSeed() == nil ? 12 : 1
        for seed in first..<first + count {
            let outcome = simulate(seed)
            #expect(outcome.complaints.isEmpty, "SHOAL_TEST_SEED=\(seed): \(outcome.complaints.prefix(2))")
        }
    }

    /// What each was, is in docs/testing.md.
    @Test(
        "Faults that were found stay mended",
        arguments: [10, 26, 207, 327, 624, 4289, 203_414])
    func named(seed: UInt64) {
        let outcome = simulate(seed)
        #expect(outcome.complaints.isEmpty, "\(outcome.complaints.prefix(2))")
    }

    @Test("A seed is a whole run: again it does the same")
    func repeats() {
        let once = simulate(5)
        let again = simulate(5)
        #expect(once.operations == again.operations && once.seconds == again.seconds && once.faults == again.faults)
    }

    @Test(
        "A planted fault is found",
        arguments: zip(
            [PlantedFault.unflushedRecall, .expiredLease, .earlySync], [UInt64(2), 4, 6]))
    func planted(fault: PlantedFault, first: UInt64) {
        let found = (first..<first + 20).first { !simulate($0, fault).complaints.isEmpty }
        #expect(found != nil, "\(fault) is not found in 20 seeds")
    }
}
