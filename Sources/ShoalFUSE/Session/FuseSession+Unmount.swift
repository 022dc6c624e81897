import CFuse3
import Glibc
import ShoalMountTable
import ShoalTypes

extension FuseSession {
    /// Unmounts. The session must go on being served until the descriptor says ENODEV: the kernel may still have
    /// requests, and with `isLazy` whoever uses the mount may go on doing so; only the name is gone.
    ///
    /// Blocks while the kernel writes dirty pages back, so never call it on the thread that serves.
    /// - Throws: `.busy` if it is in use and not `isLazy`; `.notMounted` if it was unmounted before.
    package func unmount(isLazy: Bool = false) throws(FuseError) {
        guard try isMounted() else { throw .notMounted(mountpoint) }
        try FuseSession.unmount(mountpoint, isLazy: isLazy)
    }

    /// Whether the mount still has its name. Asks only the kernel's table, so it never hangs.
    package func isMounted() throws(FuseError) -> Bool {
        try FuseSession.entry(at: mountpoint)?.device == device
    }

    /// Unmounts the FUSE filesystem at `path` (absolute, resolved), whichever process serves it.
    package static func unmount(_ path: String, isLazy: Bool = false) throws(FuseError) {
        guard let entry = try entry(at: path), entry.isFuse else { throw .notMounted(path) }
        if umount2(path, isLazy ? CInt(MNT_DETACH) : 0) == 0 { return }
        switch errno {
        case EBUSY: throw .busy(path)
        case EINVAL, ENOENT: throw .notMounted(path)
        case EPERM: try unmountAsUser(path, isLazy: isLazy)
        default: throw .unmountFailed(path, errno: errno)
        }
    }

    /// Without root, only the set-user-ID helper may unmount.
    private static func unmountAsUser(_ path: String, isLazy: Bool) throws(FuseError) {
        let words = ["fusermount3", "-u", "-q"] + (isLazy ? ["-z"] : []) + ["--", path]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { word in strdup(word) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var process = pid_t()
        let code = posix_spawnp(&process, "fusermount3", nil, nil, &arguments, environ)
        guard code == 0 else { throw .unmountFailed(path, errno: code) }
        var status: CInt = 0
        while waitpid(process, &status, 0) < 0 {
            guard errno == EINTR else { throw .unmountFailed(path, errno: errno) }
        }
        guard status == 0 else { throw .busy(path) }
    }
}
