import CLinux
import Glibc

/// A range of a record lock; a length of 0 reaches to the end of every file.
struct LockRange {
    var start = 0
    var length = 0
    var whence = SEEK_SET
}

extension File {
    /// fcntl(2) with F_SETLK, F_SETLKW or their F_OFD_ forms.
    func lock(_ type: CInt, _ start: Int = 0, _ length: Int = 0, _ command: CInt = F_SETLK, whence: CInt = SEEK_SET)
        -> Outcome
    {
        var request = Glibc.flock(l_type: Int16(type), l_whence: Int16(whence), l_start: start, l_len: length, l_pid: 0)
        return Outcome(
            "fcntl lock \(Self.lockName(type)) [\(start), +\(length)]",
            systemCall(SYS_fcntl, Int(descriptor), Int(command), address(&request)))
    }

    /// F_GETLK: the lock that is in the way of such a lock, or nil.
    func lockInTheWay(of type: CInt, _ start: Int = 0, _ length: Int = 0, _ command: CInt = F_GETLK)
        throws(Verdict) -> Glibc.flock?
    {
        var request = Glibc.flock(l_type: Int16(type), l_whence: 0, l_start: start, l_len: length, l_pid: 0)
        try Outcome("fcntl(F_GETLK)", systemCall(SYS_fcntl, Int(descriptor), Int(command), address(&request)))
            .succeeds()
        return request.l_type == Int16(F_UNLCK) ? nil : request
    }

    /// flock(2).
    func flock(_ operation: CInt) -> Outcome {
        Outcome("flock(\(operation))", systemCall(SYS_flock, Int(descriptor), Int(operation)))
    }

    private static func lockName(_ type: CInt) -> String {
        type == F_RDLCK ? "F_RDLCK" : type == F_WRLCK ? "F_WRLCK" : "F_UNLCK"
    }
}
