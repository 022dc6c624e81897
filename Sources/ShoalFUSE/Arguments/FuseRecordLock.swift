import CFuse3
import Glibc
import ShoalTypes

/// A record lock as fcntl(2)'s `struct flock` describes it, with the range from the start of the file.
package struct FuseRecordLock: Hashable, Sendable {
    package var range: LockRange
    /// Nil is F_UNLCK.
    package var mode: LockMode?
    /// 0 if it cannot be told here.
    package var process: UInt32

    package init(range: LockRange, mode: LockMode?, process: UInt32) {
        self.range = range
        self.mode = mode
        self.process = process
    }

    /// Nil for what the kernel never sends.
    init?(_ lock: Glibc.flock) {
        guard lock.l_start >= 0, lock.l_len >= 0 else { return nil }
        let first = UInt64(lock.l_start)
        // A length of 0 reaches to the end, wherever that is.
        let last = lock.l_len == 0 ? LockRange.bytesMax : first + UInt64(lock.l_len) - 1
        range = LockRange(first: first, last: last)
        guard range.isValid else { return nil }
        switch Int32(lock.l_type) {
        case F_RDLCK: mode = .shared
        case F_WRLCK: mode = .exclusive
        case F_UNLCK: mode = nil
        default: return nil
        }
        process = UInt32(bitPattern: lock.l_pid)
    }

    var systemLock: Glibc.flock {
        var lock = Glibc.flock()
        switch mode {
        case .shared: lock.l_type = Int16(F_RDLCK)
        case .exclusive: lock.l_type = Int16(F_WRLCK)
        case nil: lock.l_type = Int16(F_UNLCK)
        }
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = Int(range.first)
        lock.l_len = range.last == LockRange.bytesMax ? 0 : Int(range.last - range.first + 1)
        lock.l_pid = pid_t(bitPattern: process)
        return lock
    }
}
