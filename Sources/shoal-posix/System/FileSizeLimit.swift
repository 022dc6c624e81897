import Glibc

/// RLIMIT_FSIZE of the check's process.
enum FileSizeLimit {
    /// - Parameter ignoresSignal: without it a write past the limit kills the process by SIGXFSZ.
    static func set(_ bytes: Int, ignoresSignal: Bool = true) {
        if ignoresSignal { signal(SIGXFSZ, SIG_IGN) }
        var limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t.max)
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    }
}
