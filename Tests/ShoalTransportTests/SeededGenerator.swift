import Glibc

/// SplitMix64: the same numbers for the same seed. The seed is that of SHOAL_TEST_SEED if set.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ name: String) {
        let given = getenv("SHOAL_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        state = given ?? UInt64.random(in: 0...(.max))
        print("\(name): SHOAL_TEST_SEED=\(state)")
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        result.withUnsafeMutableBytes { raw in
            var offset = 0
            while offset < count {
                withUnsafeBytes(of: next()) { word in
                    for byte in word.prefix(count - offset) {
                        raw[offset] = byte
                        offset += 1
                    }
                }
            }
        }
        return result
    }
}
