import Glibc
import ShoalPlacement

/// The seed of this run's random tests: SHOAL_TEST_SEED, or the clock. Every random test prints it.
func testSeed(_ name: String) -> UInt64 {
    let given = getenv("SHOAL_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64(bitPattern: Int64(time(nil)))
    print("\(name): SHOAL_TEST_SEED=\(seed)")
    return seed
}
