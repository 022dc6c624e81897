import Glibc
import ShoalTestSupport

/// The errno of a call that must fail; 0 if it did not.
func code<Number: FixedWidthInteger>(of result: Number) -> CInt { result == -1 ? errno : 0 }

func writeFile(_ path: String, _ bytes: [UInt8], flags: CInt = O_WRONLY | O_CREAT | O_TRUNC) throws {
    let file = try check(open(path, flags | O_CLOEXEC, 0o644), "open \(path)")
    defer { close(file) }
    var rest = bytes[...]
    while !rest.isEmpty {
        rest = rest.dropFirst(try check(rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }, "write"))
    }
}

func readFile(_ path: String) throws -> [UInt8] {
    let file = try check(open(path, O_RDONLY | O_CLOEXEC), "open \(path)")
    defer { close(file) }
    var result: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
        let count = try check(read(file, &buffer, buffer.count), "read")
        if count == 0 { return result }
        result.append(contentsOf: buffer[..<count])
    }
}

func status(of path: String) throws -> stat {
    var result = stat()
    try check(lstat(path, &result), "lstat \(path)")
    return result
}

/// The names in a directory in the order of readdir(3), `.` and `..` among them, with their `d_ino`.
func list(_ path: String) throws -> [(name: String, inode: UInt)] {
    guard let directory = opendir(path) else { throw SystemCallError("opendir") }
    defer { closedir(directory) }
    var result: [(String, UInt)] = []
    while let entry = readdir(directory) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        result.append((name, UInt(entry.pointee.d_ino)))
    }
    return result
}

/// Functions of glibc that its Swift module hides (_GNU_SOURCE) or lacks.
enum Hidden {
    static func renameat2(_ from: String, _ to: String, _ flags: UInt32) -> CInt {
        typealias Function = @convention(c) (CInt, UnsafePointer<CChar>, CInt, UnsafePointer<CChar>, UInt32) -> CInt
        return unsafeBitCast(dlsym(nil, "renameat2"), to: Function.self)(AT_FDCWD, from, AT_FDCWD, to, flags)
    }

    static func setxattr(_ path: String, _ name: String, _ value: String) -> CInt {
        typealias Function =
            @convention(c) (
                UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>, Int, CInt
            ) -> CInt
        return unsafeBitCast(dlsym(nil, "setxattr"), to: Function.self)(path, name, value, value.utf8.count, 0)
    }
}
