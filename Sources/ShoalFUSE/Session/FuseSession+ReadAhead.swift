import Glibc

extension FuseSession {
    /// Raises the kernel's readahead for this mount. The kernel offers 128 KiB in INIT and takes no more in the answer;
    /// /sys takes it afterwards, from root. Without the permission the mount works, only slower, so nothing is
    /// reported.
    func raiseReadAhead() {
        let file = open("/sys/class/bdi/\(device)/read_ahead_kb", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        let text = "\(options.readAheadKiB)"
        _ = write(file, text, text.utf8.count)
    }
}
