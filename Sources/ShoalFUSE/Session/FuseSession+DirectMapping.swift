import CFuse3
import Glibc
import Synchronization

/// Shared mappings of files that are opened for direct I/O: FUSE_DIRECT_IO_ALLOW_MMAP (Linux 6.6), a bit of INIT's
/// second word of flags, which libfuse 3.14 neither knows nor lets through. So the adapter looks at the kernel's INIT
/// before libfuse does, and adds the bit to the answer on its way out.
extension FuseSession {
    /// `1 << 36` of INIT's flags, in their second word.
    private static let directMapping: UInt32 = 1 << 4

    /// Puts the session's answers through `writev` below, which is what libfuse calls by itself, but for INIT's.
    /// - Throws: `.mountFailed` without memory.
    static func interceptAnswers(_ session: OpaquePointer, mountpoint: String) throws(FuseError) {
        var functions = fuse_custom_io()
        functions.writev = { descriptor, parts, count, userdata in
            FuseSession.of(userdata).completeInit(parts, count)
            return Glibc.writev(descriptor, parts, count)
        }
        functions.read = { descriptor, buffer, count, _ in Glibc.read(descriptor, buffer, count) }
        let code = fuse_session_custom_io(session, &functions, fuse_session_fd(session))
        guard code == 0 else { throw .mountFailed(mountpoint, reason: String(cString: strerror(-code))) }
    }

    /// Looks for the kernel's INIT, the first message of a session.
    func inspectInit(_ message: UnsafeRawBufferPointer) {
        guard initState.load(ordering: .relaxed) == .awaited, message.count >= MemoryLayout<fuse_in_header>.size,
            message.loadUnaligned(as: fuse_in_header.self).opcode == FUSE_INIT.rawValue
        else { return }
        let body = UnsafeRawBufferPointer(rebasing: message[MemoryLayout<fuse_in_header>.size...])
        var isOffered = false
        // Kernels older than 5.17 send a shorter one.
        if body.count >= MemoryLayout<fuse_init_in>.size {
            let offer = body.loadUnaligned(as: fuse_init_in.self)
            isOffered = offer.flags & UInt32(FUSE_INIT_EXT) != 0 && offer.flags2 & FuseSession.directMapping != 0
        }
        initState.store(isOffered ? .offersMapping : .plain, ordering: .relaxed)
    }

    /// Adds the bit to the answer to INIT: its header and its body, two parts.
    private func completeInit(_ parts: UnsafeMutablePointer<iovec>?, _ count: CInt) {
        guard initState.load(ordering: .relaxed) == .offersMapping else { return }
        initState.store(.plain, ordering: .relaxed)
        guard count >= 2, let body = parts?[1], body.iov_len >= MemoryLayout<fuse_init_out>.size else { return }
        let answer = body.iov_base.assumingMemoryBound(to: fuse_init_out.self)
        answer.pointee.flags |= UInt32(FUSE_INIT_EXT)
        answer.pointee.flags2 |= FuseSession.directMapping
    }
}

/// How far the handshake with the kernel has come.
enum FuseInitState: UInt8, AtomicRepresentable {
    /// The kernel's INIT has not been read.
    case awaited
    /// It offers shared mappings of direct files; the next answer is the one to it.
    case offersMapping
    /// Nothing is left to do.
    case plain
}
