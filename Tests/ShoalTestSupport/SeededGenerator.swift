/// SplitMix64 (Steele, Lea and Flood, 2014): a seed is a whole run. Kept apart from the product's generator, so that a
/// change of that one leaves the seeds that are named in tests as they are.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// With the seed of this run, which is printed under `name`.
    package init(_ name: String) { self.init(seed: testSeed(name)) }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    package mutating func chance(_ part: Int, in whole: Int) -> Bool { Int.random(in: 0..<whole, using: &self) < part }

    package mutating func bytes(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            for offset in stride(from: 0, to: count, by: 8) {
                withUnsafeBytes(of: next()) { word in
                    for (index, byte) in word.prefix(count - offset).enumerated() { buffer[offset + index] = byte }
                }
            }
            initialized = count
        }
    }
}
