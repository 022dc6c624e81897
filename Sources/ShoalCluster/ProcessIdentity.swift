import Glibc
import ShoalTypes

/// A process, told apart from a later one that was given the same number.
package struct ProcessIdentity: Codable, Hashable, Sendable {
    package let pid: Int32
    /// Clock ticks after boot at which it started (/proc/PID/stat, field 22).
    package let startTicks: UInt64
    /// The boot that these ticks count from.
    package let bootID: String

    package init(pid: Int32, startTicks: UInt64, bootID: String) {
        self.pid = pid
        self.startTicks = startTicks
        self.bootID = bootID
    }

    /// The process that has this number now; nil if there is none, or only what is left of an ended one (a zombie).
    package init?(runningAs pid: Int32) {
        // The name, in parentheses, may hold anything; what follows the last one is numbers.
        guard let stat = TextFile.readIfPresent("/proc/\(pid)/stat"), let end = stat.lastIndex(of: ")"),
            let boot = TextFile.readIfPresent("/proc/sys/kernel/random/boot_id")
        else { return nil }
        let fields = stat[stat.index(after: end)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let ticks = UInt64(fields[19]) else { return nil }
        self.init(pid: pid, startTicks: ticks, bootID: String(boot.prefix { !$0.isWhitespace }))
    }

    /// Whether this very process is still running.
    package var isRunning: Bool { ProcessIdentity(runningAs: pid) == self }

    /// Sends the signal if the process is still running.
    package func signal(_ number: CInt) {
        if isRunning { kill(pid, number) }
    }

    /// Waits until the process has ended, at most `seconds`; false if it has not. A process that is not our child
    /// announces its end to nobody, so this looks, often.
    package func waitForEnd(seconds: Int64) -> Bool {
        let end = MonotonicClock.now + Interval.seconds(seconds)
        while isRunning {
            guard MonotonicClock.now < end else { return false }
            // If it is our child, nobody else reaps it.
            waitpid(pid, nil, WNOHANG)
            poll(nil, 0, 5)
        }
        return true
    }
}
