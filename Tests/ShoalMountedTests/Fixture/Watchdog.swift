import Dispatch
import Glibc
import ShoalMountTable
import ShoalTestSupport
import Testing

/// Aborts the FUSE connections of the mounts under a path if it is not stopped in time: everything that waits for them
/// fails.
final class Watchdog: Sendable {
    private let stopped = DispatchSemaphore(value: 0)

    init(prefix: String, secondsMax: Int) {
        let stopped = stopped
        spawnThread {
            guard stopped.wait(timeout: .now() + .seconds(secondsMax)) == .timedOut else { return }
            Issue.record("not done after \(secondsMax) s: the FUSE connections under \(prefix) are aborted")
            mount("none", "/sys/fs/fuse/connections", "fusectl", 0, nil)
            for mount in Watchdog.mounts(under: prefix) where mount.isFuse {
                let file = open("/sys/fs/fuse/connections/\(mount.minor)/abort", O_WRONLY | O_CLOEXEC)
                if file >= 0 {
                    _ = write(file, "1", 1)
                    close(file)
                }
            }
        }
    }

    func stop() { stopped.signal() }

    /// Without a table there is nothing to abort.
    private static func mounts(under prefix: String) -> [MountTable.Entry] {
        do throws(MountTable.Unreadable) { return try MountTable.under(prefix) } catch {
            Issue.record(error)
            return []
        }
    }
}

extension MountTable {
    /// The mounts whose path begins with `prefix`, in the order in which they were made.
    static func under(_ prefix: String) throws(Unreadable) -> [Entry] {
        try MountTable().entries.filter { $0.mountpoint.hasPrefix(prefix) }
    }
}

extension MountTable.Entry {
    /// The kernel's number of a FUSE connection.
    var minor: Substring { device.split(separator: ":").last ?? "" }
}
