import Glibc

/// Signals that interrupt a call that blocks: every 50 ms until they are stopped, so that none comes too early alone.
enum Alarms {
    static func interrupt() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGALRM, &action, nil)
        set(microseconds: 50_000)
    }

    static func stop() { set(microseconds: 0) }

    private static func set(microseconds: Int) {
        let time = timeval(tv_sec: 0, tv_usec: microseconds)
        var timer = itimerval(it_interval: time, it_value: time)
        setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
    }
}
