import ShoalTypes

/// Decides on which processor a thread that serves callers should run.
///
/// Waking a thread on a sleeping processor costs 25 to 50 us on a virtual machine (the processor was halted, and its
/// host has to start it again), on the caller's own processor 2 us. The scheduler prefers a sleeping one. For one
/// caller that waits for each answer that is the wrong choice, since the two never run at the same time: the server
/// then follows the caller. With several callers, much work per message or a busy processor it roams.
///
/// Windows of `messagesPerWindow` messages in, decisions out; no clock and no system call of its own.
struct ProcessorPolicy {
    /// What happened in one window.
    struct Window: Equatable {
        var messages: Int
        /// Of the window.
        var elapsed: Interval
        /// Times the thread went to sleep for lack of work.
        var sleeps: Int
        /// Processor time that the thread took.
        var worked: Interval
        /// Time in which the thread could have run, but had no processor.
        var queued: Interval
        /// Where the sampled callers ran; nil in place of one that could not be found out.
        var callers: [Int?]
    }

    enum Placement: Equatable {
        case roaming
        case following(Int)
    }

    static let messagesPerWindow = 64
    static let samplesPerWindow = 4
    /// Below this rate nobody notices a wake-up.
    private static let elapsedPerMessageMax = Interval.milliseconds(1)
    /// Above it the work outweighs the wake-up, and a processor of one's own is worth more.
    private static let workPerMessageMax = Interval.microseconds(60)
    /// Above it somebody else needs the caller's processor.
    private static let queuedPerMessageMax = Interval.microseconds(60)
    /// Windows without following after the processor was found busy: doubles from the first to the second.
    private static let restMin = 16
    private static let restMax = 4096

    private(set) var placement = Placement.roaming
    private var restLeft = 0
    private var rest = restMin
    private var calmWindows = 0

    /// The placement from now on.
    mutating func ended(_ window: Window) -> Placement {
        if restLeft > 0 { restLeft -= 1 }
        placement = next(window)
        return placement
    }

    private mutating func next(_ window: Window) -> Placement {
        let messages = Int64(window.messages)
        guard let first = window.callers.first, let caller = first, window.callers.allSatisfy({ $0 == caller }),
            window.messages < 2 * window.sleeps,
            window.elapsed.nanoseconds < ProcessorPolicy.elapsedPerMessageMax.nanoseconds * messages,
            window.worked.nanoseconds < ProcessorPolicy.workPerMessageMax.nanoseconds * messages
        else { return .roaming }
        guard case .following = placement else {
            return restLeft == 0 ? .following(caller) : .roaming
        }
        guard window.queued.nanoseconds < ProcessorPolicy.queuedPerMessageMax.nanoseconds * messages else {
            restLeft = rest
            rest = min(2 * rest, ProcessorPolicy.restMax)
            calmWindows = 0
            return .roaming
        }
        calmWindows += 1
        if calmWindows >= rest { rest = ProcessorPolicy.restMin }
        return .following(caller)
    }
}
