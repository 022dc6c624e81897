import CAffinity
import Glibc
import ShoalTypes

/// Keeps a loop's thread, and the threads that work for it, where `ProcessorPolicy` wants them. On the loop.
final class ProcessorFollower {
    private var policy = ProcessorPolicy()
    private let schedstat: CInt
    private let home: cpu_set_t
    private var companions: [pthread_t] = []
    private var placement = ProcessorPolicy.Placement.roaming

    // The window that is open.
    private var messages = 0
    private var callers: [Int?] = []
    private var began: MonotonicInstant
    private var usage: Usage

    /// Counters of the calling thread since it started.
    private struct Usage {
        var sleeps = 0
        var worked = Int64(0)
        var queued = Int64(0)
    }

    /// nil where following is no use or not possible: one processor only, or a system that does not count.
    init?(now: MonotonicInstant) {
        var home = cpu_set_t()
        guard sched_getaffinity(0, MemoryLayout<cpu_set_t>.size, &home) == 0, ProcessorSet.count(home) > 1 else {
            return nil
        }
        schedstat = Glibc.open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)
        guard schedstat >= 0 else { return nil }
        self.home = home
        began = now
        usage = Usage()
        guard let usage = read() else { return nil }
        self.usage = usage
    }

    deinit { if schedstat >= 0 { Glibc.close(schedstat) } }

    /// `thread` goes where the loop goes. It must live as long as the loop.
    func take(_ thread: pthread_t) { companions.append(thread) }

    /// One message came in. `caller` says on which processor its sender ran, nil if it is no caller's message or
    /// cannot be known; it is asked a few times per window.
    @inline(__always)
    func count(now: @autoclosure () -> MonotonicInstant, caller: (() -> Int?)?) {
        messages += 1
        if let caller, callers.count < ProcessorPolicy.samplesPerWindow,
            messages * ProcessorPolicy.samplesPerWindow >= callers.count * ProcessorPolicy.messagesPerWindow
        {
            callers.append(caller())
        }
        if messages >= ProcessorPolicy.messagesPerWindow { endWindow(now: now()) }
    }

    private func endWindow(now: MonotonicInstant) {
        defer {
            messages = 0
            callers.removeAll(keepingCapacity: true)
            began = now
        }
        guard let usage = read() else { return }
        let window = ProcessorPolicy.Window(
            messages: messages, elapsed: now - began, sleeps: usage.sleeps - self.usage.sleeps,
            worked: Interval(nanoseconds: usage.worked - self.usage.worked),
            queued: Interval(nanoseconds: usage.queued - self.usage.queued), callers: callers)
        self.usage = usage
        let wanted = policy.ended(window)
        if wanted != placement { move(to: wanted) }
    }

    private func move(to wanted: ProcessorPolicy.Placement) {
        placement = wanted
        var set = home
        if case .following(let processor) = wanted {
            guard let only = ProcessorSet.only(processor, of: home) else { return }
            set = only
        }
        // A refusal leaves the thread where it is, which is never wrong.
        sched_setaffinity(0, MemoryLayout<cpu_set_t>.size, &set)
        for thread in companions { pthread_setaffinity_np(thread, MemoryLayout<cpu_set_t>.size, &set) }
    }

    /// `schedstat`: nanoseconds on a processor, nanoseconds waiting for one, times put on one (Documentation/
    /// scheduler/sched-stats.rst).
    private func read() -> Usage? {
        var resources = rusage()
        guard getrusage(shoal_rusage_thread, &resources) == 0 else { return nil }
        var text = (UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        return withUnsafeMutableBytes(of: &text) { bytes in
            let count = pread(schedstat, bytes.baseAddress, bytes.count, 0)
            guard count > 0 else { return nil }
            let fields = bytes[..<count].split(separator: UInt8(ascii: " ")).prefix(2).map(ProcessorFollower.number)
            guard fields.count == 2, let worked = fields[0], let queued = fields[1] else { return nil }
            return Usage(sleeps: resources.ru_nvcsw, worked: worked, queued: queued)
        }
    }

    private static func number(_ digits: some Sequence<UInt8>) -> Int64? {
        var value = Int64(0)
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            value = value &* 10 &+ Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
