import Glibc
import Testing

/// Tests on a loopback cluster of real processes, mounted, driven by ordinary tools. One at a time: each has the
/// machine.
///
/// They need root, /dev/fuse and the built `shoal` beside the test bundle (or in SHOAL_BINARY). With SHOAL_TEST_FULL=1
/// they use gigabytes instead of megabytes.
@Suite(
    "Mounted cluster", .serialized,
    .enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK | W_OK) == 0, "needs root and /dev/fuse"))
enum MountedTests {}

enum Scale {
    /// Gigabytes instead of megabytes.
    static let isFull = getenv("SHOAL_TEST_FULL") != nil

    /// Trees that exist on every machine that can build Shoal.
    static var trees: [String] {
        isFull ? ["/usr/share/doc", "/usr/include", "/opt/swift/usr/lib"] : ["/usr/include"]
    }
}
