import Glibc
import ShoalTestSupport

enum TemporaryDirectory {
    static func make() throws -> String {
        var template = Array("/tmp/shoal-mounted-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemCallError("mkdtemp") }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

enum Files {
    /// The content of a file as text; empty if it cannot be read.
    static func text(_ path: String) -> String {
        do { return String(decoding: try bytes(path), as: UTF8.self) } catch { return "" }
    }

    static func bytes(_ path: String) throws -> [UInt8] {
        let file = try check(open(path, O_RDONLY | O_CLOEXEC), "open \(path)")
        defer { close(file) }
        var result: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 17)
        while true {
            let count = try check(read(file, &buffer, buffer.count), "read \(path)")
            if count == 0 { return result }
            result.append(contentsOf: buffer[..<count])
        }
    }

    /// Writes a new content and makes it durable.
    static func write(_ bytes: [UInt8], to path: String) throws {
        let file = try check(open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644), "open \(path)")
        defer { close(file) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            rest = rest.dropFirst(try check(count, "write \(path)"))
        }
        try check(fsync(file), "fsync \(path)")
    }
}
