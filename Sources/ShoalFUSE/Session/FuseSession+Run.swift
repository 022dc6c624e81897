import Glibc
import ShoalTypes
import Synchronization

extension FuseSession {
    /// Serves with `threads` threads, this one among them, until the mount ends.
    ///
    /// For filesystems whose methods block and may be called on several threads at once.
    /// - Throws: `.lostDevice` if the device fails otherwise than by the end of the mount.
    package func run(threads: Int) throws(FuseError) {
        precondition(threads > 0)
        let workers = (1..<threads).map { _ in FuseThread(self) }
        let result = serve()
        for worker in workers { worker.join() }
        guard result == ENODEV else { throw .lostDevice(errno: result) }
    }

    /// The thread whose system call made the kernel send `message`; nil if it has no number here (another PID
    /// namespace) or the kernel asks for itself. `struct fuse_in_header` in linux/fuse.h has it at byte 32.
    package static func sender(ofMessage message: UnsafeRawBufferPointer) -> pid_t? {
        guard message.count >= 36 else { return nil }
        let thread = message.loadUnaligned(fromByteOffset: 32, as: pid_t.self)
        return thread > 0 ? thread : nil
    }

    /// Reads and processes messages until the device says that it is over.
    /// - Returns: the errno that ended it; ENODEV is the end of the mount.
    fileprivate func serve() -> CInt {
        let bytesMax = FuseMountOptions.messageBytesMax
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytesMax, alignment: 4096)
        defer { buffer.deallocate() }
        var isAborted = false
        while true {
            let count = read(descriptor, buffer.baseAddress, bytesMax)
            if count > 0 {
                process(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                continue
            }
            let code = count == 0 ? ENODEV : errno
            switch code {
            // ENOENT: the request was interrupted before we read it.
            case EINTR, ENOENT, EAGAIN: continue
            // Also said, once, of a request that the end of the mount took from us while we read it.
            case ECONNABORTED where !isAborted: isAborted = true
            default: return code
            }
        }
    }
}

/// One thread that serves a session.
private final class FuseThread {
    private var thread = pthread_t()

    init(_ session: FuseSession) {
        let code = pthread_create(
            &thread, nil,
            { session in
                _ = Unmanaged<FuseSession>.fromOpaque(session!).takeRetainedValue().serve()
                return nil
            }, Unmanaged.passRetained(session).toOpaque())
        precondition(code == 0, "no memory for a thread")
    }

    func join() { pthread_join(thread, nil) }
}
