import Glibc

/// What SHOAL_TEST_SEED asks for; nil if it is not set.
package func requestedSeed() -> UInt64? { getenv("SHOAL_TEST_SEED").flatMap { UInt64(String(cString: $0)) } }

/// SHOAL_TEST_SEED, or a fresh seed; printed under `name`, so that a failure can be repeated.
package func testSeed(_ name: String) -> UInt64 {
    let seed = requestedSeed() ?? UInt64.random(in: 0...UInt64.max)
    print("\(name): SHOAL_TEST_SEED=\(seed)")
    return seed
}
