import CFuse3
import Glibc
import ShoalMountTable
import ShoalTypes

extension FuseSession {
    /// Resolves `path` and says what is wrong with it before libfuse does so less clearly.
    static func checkedMountpoint(_ path: String) throws(FuseError) -> String {
        guard access("/dev/fuse", F_OK) == 0 else { throw .noFuseDevice }
        guard access("/dev/fuse", R_OK | W_OK) == 0 else { throw .noPermission(path) }
        guard let resolved = realpath(path, nil) else {
            switch errno {
            case ENOENT: throw .mountpointMissing(path)
            case ENOTDIR: throw .mountpointNotDirectory(path)
            case EACCES: throw .noPermission(path)
            case ENOTCONN: throw .deadMount(path)
            default: throw .mountFailed(path, reason: String(cString: strerror(errno)))
            }
        }
        defer { free(resolved) }
        let mountpoint = String(cString: resolved)
        let isMounted = try entry(at: mountpoint) != nil
        var status = stat()
        guard stat(mountpoint, &status) == 0 else {
            throw errno == ENOTCONN ? .deadMount(path) : .mountFailed(path, reason: String(cString: strerror(errno)))
        }
        guard FileKind(mode: status.st_mode) == .directory else { throw .mountpointNotDirectory(path) }
        guard !isMounted else { throw MountTable.isDead(mountpoint) ? .deadMount(path) : .alreadyMounted(path) }
        return mountpoint
    }

    static func makeSession(
        _ options: FuseMountOptions, _ userdata: FuseSessionReference
    ) throws(FuseError) -> OpaquePointer {
        var operations = fuse_lowlevel_ops.all
        let words = ["shoal", "-o", options.encoded]
        var copies: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        let session = copies.withUnsafeMutableBufferPointer { copies in
            var arguments = fuse_args(argc: CInt(words.count), argv: copies.baseAddress, allocated: 0)
            return fuse_session_new(
                &arguments, &operations, MemoryLayout<fuse_lowlevel_ops>.size,
                Unmanaged.passUnretained(userdata).toOpaque())
        }
        guard let session else { throw .unknownOption(FuseLog.takeLastLine()) }
        return session
    }

    /// - Returns: the device number of the new mount.
    static func mount(_ session: OpaquePointer, at mountpoint: String) throws(FuseError) -> String {
        guard fuse_session_mount(session, mountpoint) == 0 else {
            let code = errno
            let reason = FuseLog.takeLastLine()
            if code == EBUSY { throw .busy(mountpoint) }
            if code == EPERM || code == EACCES { throw .noPermission(mountpoint) }
            throw .mountFailed(mountpoint, reason: reason.isEmpty ? String(cString: strerror(code)) : reason)
        }
        do throws(FuseError) {
            guard let entry = try entry(at: mountpoint) else { throw .notMounted(mountpoint) }
            return entry.device
        } catch {
            fuse_session_unmount(session)
            throw error
        }
    }
}
