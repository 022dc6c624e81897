import CFuse3
import Glibc
import ShoalTypes
import Synchronization

/// A mounted filesystem: from `init`, which mounts, to the end of the mount, whoever unmounts it.
///
/// Either a loop reads messages from `descriptor` (one read(2), one message) and gives them to `process(_:)`, or
/// `run(threads:)` does both. Reading ENODEV from the descriptor means that it is unmounted: nothing follows.
///
/// Unchecked: libfuse locks what it shares between threads; everything else is constant or atomic.
package final class FuseSession: @unchecked Sendable {
    package let filesystem: any FuseFilesystem
    package let options: FuseMountOptions
    /// Absolute, without symlinks.
    package let mountpoint: String
    /// `major:minor` of the mounted filesystem.
    package let device: String
    /// libfuse's session. Every unanswered request holds `self`, so it lives until the last answer.
    let session: OpaquePointer
    /// What libfuse hands to the callbacks.
    private let userdata: FuseSessionReference
    /// INIT was answered, and the read-ahead is still to be raised.
    let isReadAheadDue = Atomic(false)
    let initState = Atomic(FuseInitState.awaited)

    /// Mounts `filesystem` at `path`, an existing directory on which nothing is mounted.
    ///
    /// The kernel sends INIT at once; calls on the mount wait until it is served.
    package init(filesystem: any FuseFilesystem, mountpoint path: String, options: FuseMountOptions) throws(FuseError) {
        FuseLog.capture()
        let mountpoint = try FuseSession.checkedMountpoint(path)
        let userdata = FuseSessionReference()
        let session = try FuseSession.makeSession(options, userdata)
        do throws(FuseError) {
            device = try FuseSession.mount(session, at: mountpoint)
        } catch {
            fuse_session_destroy(session)
            throw error
        }
        self.filesystem = filesystem
        self.options = options
        self.mountpoint = mountpoint
        self.session = session
        self.userdata = userdata
        userdata.session = self
        try FuseSession.interceptAnswers(session, mountpoint: mountpoint)
    }

    deinit {
        // Closes the descriptor. Unmounts only what is still mounted: a session that was dropped without `unmount`.
        fuse_session_unmount(session)
        fuse_session_destroy(session)
    }

    /// The session's end of /dev/fuse. Owned by the session: duplicate it to keep it.
    package var descriptor: CInt { fuse_session_fd(session) }

    /// The kernel's number for this connection, as in /sys/fs/fuse/connections.
    package var connectionNumber: String { String(device.split(separator: ":").last ?? "") }

    /// Serves one message of the kernel. Calls the filesystem on this thread; never call it from a filesystem's method.
    package func process(_ message: UnsafeRawBufferPointer) {
        var buffer = fuse_buf()
        buffer.size = message.count
        buffer.mem = UnsafeMutableRawPointer(mutating: message.baseAddress)
        inspectInit(message)
        fuse_session_process_buf(session, &buffer)
        if isReadAheadDue.exchange(false, ordering: .relaxed) { raiseReadAhead() }
    }

    /// The session that `request` came in on.
    static func of(_ request: fuse_req_t) -> FuseSession {
        of(fuse_req_userdata(request))
    }

    static func of(_ userdata: UnsafeMutableRawPointer?) -> FuseSession {
        Unmanaged<FuseSessionReference>.fromOpaque(userdata!).takeUnretainedValue().session
    }
}

/// Leads from libfuse's userdata to the session. It exists before the session does, which needs libfuse's first.
final class FuseSessionReference {
    /// The session owns this object, and callbacks come only from its `process`.
    unowned(unsafe) var session: FuseSession!
}
