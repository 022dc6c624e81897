import Dispatch
import Glibc
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
            for mount in MountTable.under(prefix) where mount.type.hasPrefix("fuse") {
                let file = open("/sys/fs/fuse/connections/\(mount.minor)/abort", O_WRONLY | O_CLOEXEC)
                if file >= 0 {
                    _ = write(file, "1", 1)
                    close(file)
                }
            }
        }
    }

    func stop() { stopped.signal() }
}

/// /proc/self/mountinfo: asks no filesystem anything, so it never hangs.
enum MountTable {
    struct Entry {
        var minor: Substring
        var path: String
        var type: Substring
    }

    static func under(_ prefix: String) -> [Entry] {
        Files.text("/proc/self/mountinfo").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), fields[4].hasPrefix(prefix) else { return nil }
            return Entry(
                minor: fields[2].split(separator: ":")[1], path: String(fields[4]), type: fields[dash + 1])
        }
    }
}
