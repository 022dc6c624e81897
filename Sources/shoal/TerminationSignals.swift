import Dispatch
import Glibc
import Logging

/// SIGTERM, SIGINT and SIGHUP as events that one thread waits for, instead of handlers that interrupt another. A
/// process makes one before it starts threads: these inherit that the signals are blocked.
struct TerminationSignals {
    private var signals = sigset_t()

    init() {
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP, Self.ended] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Sent to this process by itself when its work has ended without a signal.
    private static let ended = SIGUSR2

    /// As if a signal had come, from any thread.
    static func end() { kill(getpid(), ended) }

    /// Waits for a signal, runs `stop` and ends the process with code 0.
    ///
    /// - Parameter endsAtOnce: Whether a second signal while `stop` runs ends the process there and then. Not where
    ///   that would lose what somebody was told is written.
    func waitAndExit(_ logger: Logger, endsAtOnce: Bool = true, stop: @escaping @Sendable () -> Void) -> Never {
        let first = wait()
        if first != Self.ended { logger.info("stopping", metadata: ["signal": "\(first)"]) }
        DispatchQueue(label: "stop").async {
            stop()
            exit(0)
        }
        var second = wait()
        while second == Self.ended || !endsAtOnce {
            if second != Self.ended {
                logger.warning("writing back; only 'kill -9 \(getpid())' ends it before, and loses that")
            }
            second = wait()
        }
        logger.warning("stopped at once by a second signal")
        _exit(128 + second)
    }

    /// The next signal.
    func wait() -> CInt {
        var number: CInt = 0
        withUnsafePointer(to: signals) { pointer in
            while sigwait(pointer, &number) != 0 {}
        }
        return number
    }
}
