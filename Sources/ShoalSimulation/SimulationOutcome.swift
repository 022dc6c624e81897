import Logging
import ShoalClient

/// What came of one seed.
package struct SimulationOutcome: Sendable {
    package var seed: UInt64
    package var complaints: [String] = []
    /// Objects whose history was too long a search.
    package var undecided = 0
    package var operations = 0
    /// How often a file was seen to be written in parts.
    package var sharedFiles = 0
    /// Virtual.
    package var seconds: Double = 0
    /// Of all that was sent, and when: two runs of a seed are the same if these are.
    package var digest: UInt64 = 0
    /// Faults that were done, by kind.
    package var faults: [String: Int] = [:]
}

/// Runs one seed.
package func simulate(
    _ seed: UInt64, _ plantedFault: PlantedFault? = nil, logLevel: Logger.Level = .critical
) -> SimulationOutcome {
    do { return try SimulationRun(seed: seed, plantedFault: plantedFault, logLevel: logLevel).run() } catch {
        var outcome = SimulationOutcome(seed: seed)
        outcome.complaints = ["\(error)"]
        return outcome
    }
}
