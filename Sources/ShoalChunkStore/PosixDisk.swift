import Glibc

/// The machine's filesystem.
package struct PosixDisk: Disk {
    package init() {}

    package func open(_ path: String, create: Bool) throws(DiskError) -> any DiskFile {
        let flags = O_RDWR | O_CLOEXEC | (create ? O_CREAT | O_EXCL : 0)
        return PosixFile(descriptor: try systemCall("open", path) { Glibc.open(path, flags, 0o600) }, path: path)
    }

    package func makeDirectory(_ path: String) throws(DiskError) {
        do {
            try systemCall("mkdir", path) { mkdir(path, 0o700) }
        } catch  where error.errno == EEXIST {
            return
        }
    }

    package func syncDirectory(_ path: String) throws(DiskError) {
        let descriptor = try systemCall("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(descriptor) }
        try systemCall("fsync", path) { fsync(descriptor) }
    }

    package func unlink(_ path: String) throws(DiskError) {
        do {
            try systemCall("unlink", path) { Glibc.unlink(path) }
        } catch  where error.errno == ENOENT {
            return
        }
    }

    package func rename(_ path: String, to target: String) throws(DiskError) {
        try systemCall("rename", path) { Glibc.rename(path, target) }
    }

    package func list(_ directory: String) throws(DiskError) -> [String] {
        guard let stream = opendir(directory) else {
            throw DiskError(errno: errno, operation: "opendir", path: directory)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw DiskError(errno: errno, operation: "readdir", path: directory) }
        return names
    }

    package func space(_ directory: String) throws(DiskError) -> DiskSpace {
        var status = statvfs()
        try systemCall("statvfs", directory) { statvfs(directory, &status) }
        return DiskSpace(
            bytesTotal: UInt64(status.f_blocks) * UInt64(status.f_frsize),
            bytesFree: UInt64(status.f_bavail) * UInt64(status.f_frsize))
    }

    package func bootID() throws(DiskError) -> String {
        let path = "/proc/sys/kernel/random/boot_id"
        let descriptor = try systemCall("open", path) { Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        let file = PosixFile(descriptor: descriptor, path: path)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = try bytes.withUnsafeMutableBufferPointer { (buffer) throws(DiskError) in
            try file.read(at: 0, into: UnsafeMutableRawBufferPointer(buffer))
        }
        return String(decoding: bytes[..<count].prefix { $0 > 0x20 }, as: UTF8.self)
    }
}

/// Calls `body` until it is not interrupted by a signal.
@discardableResult
func systemCall<Result: SignedInteger>(_ operation: String, _ path: String, _ body: () -> Result) throws(DiskError)
    -> Result
{
    while true {
        let result = body()
        if result >= 0 { return result }
        let code = errno
        if code != EINTR { throw DiskError(errno: code, operation: operation, path: path) }
    }
}
