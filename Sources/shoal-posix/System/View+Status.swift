import CLinux
import Glibc

private let here = Linux.currentDirectory

extension View {
    func stating(_ name: Bytes, _ flags: CInt = 0) -> Outcome {
        var raw = statx()
        return call(flags == 0 ? "stat" : "lstat", name) { Status.get(here, $0, flags, into: &raw) }
    }
    func lstating(_ name: Bytes) -> Outcome { stating(name, CInt(AT_SYMLINK_NOFOLLOW)) }

    func stat(_ name: Bytes, _ flags: CInt = 0) throws(Verdict) -> Status {
        var raw = statx()
        try call(flags == 0 ? "stat" : "lstat", name) { Status.get(here, $0, flags, into: &raw) }.succeeds()
        return Status(raw)
    }
    func lstat(_ name: Bytes) throws(Verdict) -> Status { try stat(name, CInt(AT_SYMLINK_NOFOLLOW)) }

    func isAbsent(_ name: Bytes) throws(Verdict) { try lstating(name).fails(ENOENT) }

    func statfs() throws(Verdict) -> statvfs {
        var result = statvfs()
        let root = root ?? "."
        try Outcome("statvfs", Int(statvfs(root, &result)) == 0 ? 0 : -Int(errno)).succeeds()
        return result
    }

    /// f_type: which filesystem this is.
    func isFUSE() -> Bool {
        var raw = [Int](repeating: 0, count: 32)
        let count = raw.withUnsafeMutableBufferPointer { raw in
            call("statfs", "") { systemCall(SYS_statfs, $0, address(raw.baseAddress!)) }.raw
        }
        return count == 0 && raw[0] == Linux.fuseMagic
    }
}

/// Shorthands for the preparation of a check and for looking at its result.
extension View {
    /// Makes a file of that content, closed again, with exactly that mode.
    func file(_ name: Bytes, _ content: Bytes = "", _ mode: UInt32 = 0o644) throws(Verdict) {
        let file = try open(name, O_WRONLY | O_CREAT | O_EXCL, mode)
        if content.count > 0 { try file.write(content).returns(content.count) }
        try file.close().succeeds()
        if mode & 0o7000 != 0 { try chmod(name, mode).succeeds() }
    }

    /// Makes a directory with exactly that mode.
    func directory(_ name: Bytes, _ mode: UInt32 = 0o755) throws(Verdict) {
        try mkdir(name, mode).succeeds()
        if mode & 0o7000 != 0 { try chmod(name, mode).succeeds() }
    }

    /// The whole content of a file.
    func content(_ name: Bytes) throws(Verdict) -> Bytes {
        let file = try open(name, O_RDONLY)
        let content = try file.pread(1 << 24, at: 0)
        try file.close().succeeds()
        return content
    }

    func contains(_ name: Bytes, _ content: Bytes) throws(Verdict) {
        try equal(try self.content(name), content, "content of \(name)")
    }

    /// The names in a directory but for `.` and `..`, sorted.
    func names(_ name: Bytes = "") throws(Verdict) -> [Bytes] {
        let directory = try open(name, O_RDONLY | O_DIRECTORY)
        let entries = try directory.entries()
        try directory.close().succeeds()
        return entries.map(\.name).filter { $0 != "." && $0 != ".." }
            .sorted { $0.array.lexicographicallyPrecedes($1.array) }
    }
}
