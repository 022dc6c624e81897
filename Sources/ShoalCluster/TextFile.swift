import Glibc

/// Small text files, read and written whole.
package enum TextFile {
    private static let bytesMax = 4 << 20

    /// nil if there is no such file.
    package static func read(_ path: String) throws(ClusterError) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .file(path, reason: reason(errno))
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .file(path, reason: reason(errno)) }
            if count == 0 { break }
            bytes += buffer[..<count]
            guard bytes.count <= bytesMax else { throw .file(path, reason: "longer than \(bytesMax) bytes") }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// For files of the kernel that vanish with their process: any failure is "not there".
    static func readIfPresent(_ path: String) -> String? {
        do throws(ClusterError) { return try read(path) } catch { return nil }
    }

    /// Replaces the file so that a crash leaves the old content or the new one.
    package static func replace(_ path: String, with text: String) throws(ClusterError) {
        let temporary = "\(path).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .file(temporary, reason: reason(errno)) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file(temporary, reason: reason(errno)) }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw .file(path, reason: reason(errno)) }
    }

    package static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}
