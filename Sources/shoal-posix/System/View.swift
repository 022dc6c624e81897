import CLinux
import Glibc

/// A check's directory, seen through one mount. Names are relative to it; every call is one system call on an absolute
/// path.
struct View {
    /// Without one, names are used as they are.
    let root: String?

    /// Names as they are: for empty, relative and absolute paths.
    static let bare = View(root: nil)

    func path(_ name: Bytes) -> Bytes {
        guard let root else { return name }
        return name.count == 0 ? Bytes(root) : Bytes(root + "/") + name
    }

    func view(of name: Bytes) -> View { View(root: path(name).text) }

    /// Calls `body` with the address of the path's NUL-terminated bytes.
    func call(_ what: String, _ name: Bytes, _ body: (Int) -> Int) -> Outcome {
        let bytes = path(name).array + [0]
        return Outcome("\(what)(\(name))", bytes.withUnsafeBufferPointer { body(address($0.baseAddress!)) })
    }

    func call(_ what: String, _ from: Bytes, _ to: Bytes, _ body: (Int, Int) -> Int) -> Outcome {
        let (a, b) = (path(from).array + [0], path(to).array + [0])
        return Outcome(
            "\(what)(\(from), \(to))",
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in body(address(a.baseAddress!), address(b.baseAddress!)) }
            })
    }
}

private let here = Linux.currentDirectory

extension View {
    func opening(_ name: Bytes, _ flags: CInt, _ mode: UInt32 = 0o644) -> Outcome {
        call("open", name) { systemCall(SYS_openat, here, $0, Int(flags | O_CLOEXEC), Int(mode)) }
    }
    func open(_ name: Bytes, _ flags: CInt = O_RDWR, _ mode: UInt32 = 0o644) throws(Verdict) -> File {
        File(descriptor: CInt(try opening(name, flags, mode).succeeds()))
    }
    /// Opens a new file for reading and writing.
    func create(_ name: Bytes, _ mode: UInt32 = 0o644) throws(Verdict) -> File {
        try open(name, O_RDWR | O_CREAT | O_EXCL, mode)
    }
    func mkdir(_ name: Bytes, _ mode: UInt32 = 0o755) -> Outcome {
        call("mkdir", name) { systemCall(SYS_mkdirat, here, $0, Int(mode)) }
    }
    func rmdir(_ name: Bytes) -> Outcome {
        call("rmdir", name) { systemCall(SYS_unlinkat, here, $0, Int(AT_REMOVEDIR)) }
    }
    func unlink(_ name: Bytes) -> Outcome { call("unlink", name) { systemCall(SYS_unlinkat, here, $0, 0) } }
    func unlinkat(_ name: Bytes, _ flags: CInt) -> Outcome {
        call("unlinkat", name) { systemCall(SYS_unlinkat, here, $0, Int(flags)) }
    }
    func link(_ old: Bytes, _ new: Bytes, _ flags: CInt = 0) -> Outcome {
        call("link", old, new) { systemCall(SYS_linkat, here, $0, here, $1, Int(flags)) }
    }
    /// The target is taken as it is.
    func symlink(_ target: Bytes, _ name: Bytes) -> Outcome {
        let bytes = target.array + [0]
        return bytes.withUnsafeBufferPointer { target in
            call("symlink", name) { systemCall(SYS_symlinkat, address(target.baseAddress!), here, $0) }
        }
    }
    func readlinking(_ name: Bytes, _ buffer: inout [UInt8]) -> Outcome {
        let count = buffer.count
        return buffer.withUnsafeMutableBufferPointer { buffer in
            call("readlink", name) {
                systemCall(SYS_readlinkat, here, $0, buffer.baseAddress.map { address($0) } ?? 0, count)
            }
        }
    }
    func readlink(_ name: Bytes, bytesMax: Int = 5000) throws(Verdict) -> Bytes {
        var buffer = [UInt8](repeating: 0, count: bytesMax)
        let count = try readlinking(name, &buffer).succeeds()
        return Bytes(buffer[..<count])
    }
    func rename(_ old: Bytes, _ new: Bytes, _ flags: UInt32 = 0) -> Outcome {
        call("rename", old, new) { systemCall(SYS_renameat2, here, $0, here, $1, Int(flags)) }
    }
    /// - Parameter device: as makedev(3) builds it.
    func mknod(_ name: Bytes, _ mode: UInt32, _ device: UInt64 = 0) -> Outcome {
        call("mknod", name) { systemCall(SYS_mknodat, here, $0, Int(mode), Int(device)) }
    }
    func chmod(_ name: Bytes, _ mode: UInt32) -> Outcome {
        call("chmod", name) { systemCall(SYS_fchmodat, here, $0, Int(mode)) }
    }
    /// -1 leaves the owner or group alone.
    func chown(_ name: Bytes, _ owner: Int, _ group: Int, _ flags: CInt = 0) -> Outcome {
        call("chown", name) { systemCall(SYS_fchownat, here, $0, owner, group, Int(flags)) }
    }
    func lchown(_ name: Bytes, _ owner: Int, _ group: Int) -> Outcome {
        chown(name, owner, group, CInt(AT_SYMLINK_NOFOLLOW))
    }
    func truncate(_ name: Bytes, _ size: Int) -> Outcome {
        call("truncate", name) { systemCall(SYS_truncate, $0, size) }
    }
    /// access(2): asks with the real user.
    func access(_ name: Bytes, _ mode: CInt) -> Outcome {
        call("access", name) { systemCall(SYS_faccessat, here, $0, Int(mode)) }
    }
    func chdir(_ name: Bytes) -> Outcome { call("chdir", name) { systemCall(SYS_chdir, $0) } }

    /// utimensat(2); nil for the times means now.
    func setTimes(_ name: Bytes, _ times: (Time, Time)?, _ flags: CInt = 0) -> Outcome {
        guard let times else { return call("utimensat", name) { systemCall(SYS_utimensat, here, $0, 0, Int(flags)) } }
        let values = [
            timespec(tv_sec: times.0.seconds, tv_nsec: times.0.nanoseconds),
            timespec(tv_sec: times.1.seconds, tv_nsec: times.1.nanoseconds),
        ]
        return values.withUnsafeBufferPointer { values in
            call("utimensat", name) { systemCall(SYS_utimensat, here, $0, address(values.baseAddress!), Int(flags)) }
        }
    }
}
