import Glibc

/// Keeps two commands from changing one cluster at a time. Ends with the value, or with the process.
final class DirectoryLock {
    private let descriptor: CInt

    /// - Throws: `.busy` at once if somebody else holds it.
    init(_ layout: ClusterLayout) throws(ClusterError) {
        descriptor = open(layout.lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .file(layout.lockPath, reason: TextFile.reason(errno)) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .busy(layout.directory)
        }
    }

    deinit { close(descriptor) }
}
