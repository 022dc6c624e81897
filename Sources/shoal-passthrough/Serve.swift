import Glibc
import ShoalFUSE
import ShoalTypes

/// Mounts and serves until it is unmounted, or until SIGTERM or SIGINT, which unmount it.
func serve(_ arguments: Arguments) throws {
    raiseDescriptorLimit()
    umask(0)
    let filesystem = try PassthroughFilesystem(
        source: arguments.source,
        timeouts: arguments.caches ? FuseCacheTimeouts(entry: 1, attributes: 1) : .none)
    var options = FuseMountOptions()
    options.sourceName = arguments.source
    options.subtype = "passthrough"
    // Before any thread starts, so that all of them leave the signals to the one that waits.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    let session = try FuseSession(filesystem: filesystem, mountpoint: arguments.mountpoint, options: options)
    var thread = pthread_t()
    pthread_create(&thread, nil, unmountOnSignal, Unmanaged.passRetained(session).toOpaque())
    try session.run(threads: arguments.threads)
}

private func unmountOnSignal(_ session: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    let session = Unmanaged<FuseSession>.fromOpaque(session!).takeRetainedValue()
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGINT)
    var signal: CInt = 0
    sigwait(&signals, &signal)
    do {
        try session.unmount(isLazy: true)
    } catch {
        fail(error)
    }
    return nil
}

/// Every inode that the kernel knows costs a descriptor.
private func raiseDescriptorLimit() {
    let wanted = rlim_t(1 << 20)
    var limit = rlimit(rlim_cur: wanted, rlim_max: wanted)
    // Only root may raise the hard limit.
    if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { return }
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// Says why in one line and ends the process.
func fail(_ error: any Error) -> Never {
    let line = "shoal-passthrough: \(error)\n"
    _ = write(STDERR_FILENO, line, line.utf8.count)
    exit(1)
}
