/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): one seed, one sequence.
struct Random: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// `0 ..< bound`.
    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
    /// True once in `count` times.
    mutating func one(in count: Int) -> Bool { below(count) == 0 }
    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }

    /// Lengths and offsets as programs use them: mostly small, sometimes at the edge of a block, rarely large.
    mutating func extent(max: Int) -> Int {
        let edges = [4096, 65_536, 131_072, 1 << 20, 4 << 20].filter { $0 < max }
        switch below(8) {
        case 0...2: return below(min(max, 512))
        case 3...4: return below(min(max, 20_000))
        case 5:
            guard !edges.isEmpty else { return below(max) }
            return min(max - 1, Swift.max(0, pick(edges) + below(5) - 2))
        case 6: return below(max) / 4096 * 4096
        default: return below(max)
        }
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        var word = next()
        return [UInt8](unsafeUninitializedCapacity: count + 7) { buffer, filled in
            for offset in stride(from: 0, to: count, by: 8) {
                word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                UnsafeMutableRawPointer(buffer.baseAddress! + offset).storeBytes(of: word ^ word >> 32, as: UInt64.self)
            }
            filled = count
        }
    }
}
