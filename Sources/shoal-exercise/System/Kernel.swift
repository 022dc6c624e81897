import CLinux
import Glibc

/// System calls without libc in between: their result, or minus their errno.
enum Kernel {
    static func call(
        _ number: CInt, _ a: Int = 0, _ b: Int = 0, _ c: Int = 0, _ d: Int = 0, _ e: Int = 0, _ f: Int = 0
    ) -> Int {
        linux_call(Int(number), a, b, c, d, e, f)
    }

    /// File types (inode(7)).
    static let typeMask = 0o170000
    static let fifo = 0o010000
    static let character = 0o020000
    static let directory = 0o040000
    static let block = 0o060000
    static let symlink = 0o120000
    static let socket = 0o140000
    static let regular = 0o100000
    static let currentDirectory = Int(AT_FDCWD)

    /// A call whose first arguments are paths.
    static func with(_ path: String, _ body: (Int) -> Int) -> Int {
        path.withCString { body(Int(bitPattern: $0)) }
    }
    static func with(_ first: String, _ second: String, _ body: (Int, Int) -> Int) -> Int {
        with(first) { first in with(second) { body(first, $0) } }
    }

    static func open(_ path: String, _ flags: CInt, mode: Int = 0) -> Int {
        with(path) { call(SYS_openat, currentDirectory, $0, Int(flags | O_CLOEXEC), mode) }
    }
    static func close(_ file: Int) -> Int { call(SYS_close, file) }

    static func write(_ file: Int, _ bytes: [UInt8], at offset: Int?) -> Int {
        bytes.withUnsafeBytes { buffer in
            let start = Int(bitPattern: buffer.baseAddress)
            guard let offset else { return call(SYS_write, file, start, buffer.count) }
            return call(SYS_pwrite64, file, start, buffer.count, offset)
        }
    }

    /// The bytes, or minus the errno.
    static func read(_ file: Int, _ count: Int, at offset: Int?) -> (result: Int, bytes: [UInt8]) {
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let start = Int(bitPattern: buffer.baseAddress)
            result =
                offset.map { call(SYS_pread64, file, start, count, $0) } ?? call(SYS_read, file, start, count)
            filled = max(0, result)
        }
        return (result, bytes)
    }

    static func status(_ path: String) -> (result: Int, status: stat) {
        var status = stat()
        return (lstat(path, &status) == 0 ? 0 : -Int(errno), status)
    }
    static func status(file: Int) -> (result: Int, status: stat) {
        var status = stat()
        return (fstat(CInt(truncatingIfNeeded: file), &status) == 0 ? 0 : -Int(errno), status)
    }

    /// The calling thread acts as this user and group, without supplementary groups, until it acts as 0 again.
    static func act(as user: Int) {
        // Back to root first: only root may become somebody.
        _ = call(SYS_setresuid, -1, 0, -1)
        _ = call(SYS_setresgid, -1, user, -1)
        guard user != 0 else { return }
        _ = call(SYS_setgroups, 0, 0)
        _ = call(SYS_setresuid, -1, user, -1)
    }
}

/// A call that must not fail did.
struct Broken: Error, CustomStringConvertible {
    var description: String
    init(_ what: String, _ result: Int) {
        description = "\(what): \(String(cString: strerror(CInt(-result))))"
    }
    init(_ description: String) { self.description = description }
}
