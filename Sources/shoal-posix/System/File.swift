import CLinux
import Glibc

/// An open file. It stays open until `close` or the end of the check's process.
struct File {
    let descriptor: CInt

    private func call(_ what: String, _ body: (Int) -> Int) -> Outcome { Outcome(what, body(Int(descriptor))) }

    func close() -> Outcome { call("close") { systemCall(SYS_close, $0) } }

    func write(_ content: Bytes) -> Outcome {
        content.array.withUnsafeBufferPointer { bytes in
            call("write of \(bytes.count)") {
                systemCall(SYS_write, $0, bytes.baseAddress.map { address($0) } ?? 0, bytes.count)
            }
        }
    }
    func pwrite(_ content: Bytes, at offset: Int) -> Outcome {
        content.array.withUnsafeBufferPointer { bytes in
            call("pwrite of \(bytes.count) at \(offset)") {
                systemCall(SYS_pwrite64, $0, bytes.baseAddress.map { address($0) } ?? 0, bytes.count, offset)
            }
        }
    }
    func reading(_ count: Int) -> Outcome {
        var buffer = [UInt8](repeating: 0, count: max(count, 1))
        return call("read of \(count)") { systemCall(SYS_read, $0, address(&buffer), count) }
    }
    func preading(_ count: Int, at offset: Int) -> Outcome {
        var buffer = [UInt8](repeating: 0, count: max(count, 1))
        return call("pread of \(count) at \(offset)") { systemCall(SYS_pread64, $0, address(&buffer), count, offset) }
    }
    /// One read(2).
    func read(_ count: Int) throws(Verdict) -> Bytes {
        var buffer = [UInt8](repeating: 0, count: max(count, 1))
        let got = try call("read of \(count)") { systemCall(SYS_read, $0, address(&buffer), count) }.succeeds()
        return Bytes(buffer[..<got])
    }
    /// Everything from `offset` on, `count` bytes at most.
    func pread(_ count: Int, at offset: Int) throws(Verdict) -> Bytes {
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: min(max(count, 1), 1 << 20))
        while result.count < count {
            let (length, position) = (min(buffer.count, count - result.count), offset + result.count)
            let got = try call("pread of \(length) at \(position)") {
                systemCall(SYS_pread64, $0, address(&buffer), length, position)
            }.succeeds()
            if got == 0 { break }
            result.append(contentsOf: buffer[..<got])
        }
        return Bytes(result)
    }
    /// readv(2), or preadv(2) where an offset is given, into parts of those sizes.
    func readv(_ counts: [Int], at offset: Int? = nil) throws(Verdict) -> [Bytes] {
        let parts = counts.map { UnsafeMutablePointer<UInt8>.allocate(capacity: max($0, 1)) }
        defer { for part in parts { part.deallocate() } }
        var vectors = zip(parts, counts).map { iovec(iov_base: $0, iov_len: $1) }
        let count = vectors.count
        var left = try call("readv") {
            if let offset { return systemCall(SYS_preadv, $0, address(&vectors), count, offset) }
            return systemCall(SYS_readv, $0, address(&vectors), count)
        }.succeeds()
        return zip(parts, counts).map { part, count in
            let got = min(left, count)
            left -= got
            return Bytes(Array(UnsafeBufferPointer(start: part, count: got)))
        }
    }
    /// writev(2), or pwritev(2) where an offset is given.
    func writev(_ parts: [Bytes], at offset: Int? = nil) -> Outcome {
        let copies = parts.map { part in
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(part.count, 1))
            copy.initialize(from: part.array, count: part.count)
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        var vectors = zip(copies, parts).map { iovec(iov_base: $0, iov_len: $1.count) }
        let count = vectors.count
        return call("writev") {
            if let offset { return systemCall(SYS_pwritev, $0, address(&vectors), count, offset) }
            return systemCall(SYS_writev, $0, address(&vectors), count)
        }
    }
    func seek(_ offset: Int, _ whence: CInt) -> Outcome {
        call("lseek(\(offset), \(whence))") { systemCall(SYS_lseek, $0, offset, Int(whence)) }
    }
    func truncate(_ size: Int) -> Outcome { call("ftruncate to \(size)") { systemCall(SYS_ftruncate, $0, size) } }
    func allocate(_ mode: CInt, _ offset: Int, _ count: Int) -> Outcome {
        call("fallocate(\(mode), \(offset), \(count))") { systemCall(SYS_fallocate, $0, Int(mode), offset, count) }
    }
    func sync() -> Outcome { call("fsync") { systemCall(SYS_fsync, $0) } }
    func syncData() -> Outcome { call("fdatasync") { systemCall(SYS_fdatasync, $0) } }
    func syncFilesystem() -> Outcome { call("syncfs") { systemCall(SYS_syncfs, $0) } }
    func chmod(_ mode: UInt32) -> Outcome { call("fchmod") { systemCall(SYS_fchmod, $0, Int(mode)) } }
    func chown(_ owner: Int, _ group: Int) -> Outcome { call("fchown") { systemCall(SYS_fchown, $0, owner, group) } }
    func chdir() -> Outcome { call("fchdir") { systemCall(SYS_fchdir, $0) } }
    func setTimes(_ accessed: Time, _ modified: Time) -> Outcome {
        let times = [
            timespec(tv_sec: accessed.seconds, tv_nsec: accessed.nanoseconds),
            timespec(tv_sec: modified.seconds, tv_nsec: modified.nanoseconds),
        ]
        return times.withUnsafeBufferPointer { times in
            call("futimens") { systemCall(SYS_utimensat, $0, 0, address(times.baseAddress!)) }
        }
    }
    func stat() throws(Verdict) -> Status {
        var raw = statx()
        let empty: [UInt8] = [0]
        try empty.withUnsafeBufferPointer { empty in
            call("fstat") { Status.get($0, address(empty.baseAddress!), Linux.emptyPath, into: &raw) }
        }.succeeds()
        return Status(raw)
    }
    /// copy_file_range(2); nil takes and moves the file's own position.
    func copy(_ offset: Int?, to other: File, _ otherOffset: Int?, _ count: Int) -> Outcome {
        var (from, to) = (offset ?? 0, otherOffset ?? 0)
        return call("copy_file_range of \(count)") {
            systemCall(
                SYS_copy_file_range, $0, offset == nil ? 0 : address(&from), Int(other.descriptor),
                otherOffset == nil ? 0 : address(&to), count, 0)
        }
    }
    /// fcntl(2) with a number.
    func control(_ command: CInt, _ argument: Int = 0) -> Outcome {
        call("fcntl(\(command))") { systemCall(SYS_fcntl, $0, Int(command), argument) }
    }
}
