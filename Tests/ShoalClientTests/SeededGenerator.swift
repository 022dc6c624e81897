import Foundation

/// SplitMix64 (Steele et al. 2014): a seed is a whole run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
    mutating func chance(_ part: Int, in whole: Int) -> Bool { Int.random(in: 0..<whole, using: &self) < part }
}

/// The seed that SHOAL_TEST_SEED asks for: then only that one is run.
func requestedSeed() -> UInt64? { ProcessInfo.processInfo.environment["SHOAL_TEST_SEED"].flatMap { UInt64($0) } }
