import Glibc

extension MountTable {
    /// Whether the process that serves the FUSE mount at `path` is gone. Opening the directory always asks that process;
    /// stat(2) does not, as the kernel may still show what it was told.
    package static func isDead(_ path: String) -> Bool {
        let file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file < 0 else {
            close(file)
            return false
        }
        return errno == ENOTCONN
    }
}
