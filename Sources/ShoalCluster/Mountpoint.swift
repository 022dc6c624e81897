import Glibc
import ShoalMountTable

/// A directory on which Shoal is, or is to be, mounted.
package struct Mountpoint: Sendable {
    /// Absolute.
    package let path: String

    /// A mount that is unmounted ends at once, or when it has written back what it had buffered.
    private static let politeSecondsMax: Int64 = 5

    package init(_ path: String) throws(ClusterError) { self.path = try ClusterLayout.absolute(path) }

    /// Whether a mount can go here now.
    /// - Throws: `.mountpointMissing`, `.mountpointNotDirectory`, `.mountpointBusy`, `.mountpointDead`.
    package func checkFree() throws(ClusterError) {
        let entry = try MountTable.current().entry(at: path)
        var status = stat()
        if stat(path, &status) != 0 {
            switch errno {
            case ENOENT: throw .mountpointMissing(path)
            case ENOTCONN: throw .mountpointDead(path)
            default: throw .file(path, reason: TextFile.reason(errno))
            }
        }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .mountpointNotDirectory(path) }
        guard let entry else { return }
        if MountTable.isDead(path) { throw .mountpointDead(path) }
        throw .mountpointBusy(path, filesystem: entry.filesystem)
    }

    /// Whether a Shoal mount is here whose process is gone.
    package func isDead() throws(ClusterError) -> Bool {
        guard let entry = try MountTable.current().entry(at: path), entry.isShoal else { return false }
        return MountTable.isDead(path)
    }

    /// Unmounts, and waits until the mount's process has sent what it had buffered and has ended.
    ///
    /// - Parameters:
    ///   - isForced: Detach a mount that is in use: open files keep working until they are closed.
    /// - Throws: as `detach`; `.detached`, `.stillRunning`.
    package func unmount(isForced: Bool, secondsMax: Int64) throws(ClusterError) {
        // Once it is detached, its users cannot be told any more.
        let users = isForced ? MountUsers.describe(path) : nil
        guard let process = try detach(isForced: isForced) else { return }
        guard !process.waitForEnd(seconds: min(secondsMax, Self.politeSecondsMax)) else { return }
        // Nobody here uses it any more, but a copy of the mount in another mount namespace keeps the kernel from ending
        // it. The process writes back what it has and ends.
        if !isForced { process.signal(SIGTERM) }
        guard !process.waitForEnd(seconds: secondsMax) else { return }
        if let users { throw .detached(path, by: users, pid: process.pid) }
        throw .stillRunning("the mount of \(path)", pid: process.pid, seconds: secondsMax)
    }

    /// Takes the mount's name away, so that nobody new comes in. Returns the process that serves it, if it has one.
    ///
    /// - Throws: `.notMounted`, `.notShoal`, `.inUse`, `.cannotUnmount`.
    @discardableResult
    func detach(isForced: Bool) throws(ClusterError) -> ProcessIdentity? {
        guard let entry = try MountTable.current().entry(at: path) else { throw .notMounted(path) }
        guard entry.isShoal else { throw .notShoal(path, filesystem: entry.filesystem) }
        let process = entry.process
        let isDead = try isDead()
        let flags = isForced || isDead ? CInt(MNT_DETACH) : 0
        if umount2(path, flags) != 0 {
            switch errno {
            case EBUSY: throw .inUse(path, by: MountUsers.describe(path))
            case EPERM: try unmountAsUser(isForced: flags != 0)
            default: throw .cannotUnmount(path, reason: TextFile.reason(errno))
            }
        }
        return process
    }

    /// Who may not call umount(2) may still unmount what is theirs, through the set-user-ID program of FUSE.
    private func unmountAsUser(isForced: Bool) throws(ClusterError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // What it says is said better here.
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        var pid = pid_t()
        let result = ArgumentVector.with(["fusermount3", isForced ? "-uz" : "-u", "--", path]) {
            posix_spawnp(&pid, "fusermount3", &actions, nil, $0, environ)
        }
        guard result == 0 else { throw .cannotUnmount(path, reason: "fusermount3: \(TextFile.reason(result))") }
        var status: CInt = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw .inUse(path, by: MountUsers.describe(path)) }
    }
}
