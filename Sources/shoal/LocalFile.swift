import Glibc
import ShoalCluster

/// A local file that is read or written from its start.
final class LocalFile {
    let path: String
    private let descriptor: CInt

    /// - Throws: `.file`.
    init(reading path: String) throws(ClusterError) {
        self.path = path
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .file(path, reason: TextFile.reason(errno)) }
    }

    /// A new file; errors name the one that it is to become.
    init(writing temporary: String, for path: String, mode: UInt32) throws(ClusterError) {
        self.path = path
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw .file(path, reason: TextFile.reason(errno)) }
    }

    /// Standard output.
    init() {
        path = "standard output"
        descriptor = dup(STDOUT_FILENO)
    }

    deinit { Glibc.close(descriptor) }

    func status() throws(ClusterError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .file(path, reason: TextFile.reason(errno)) }
        return status
    }

    /// As many bytes as asked for; fewer only at the end.
    func read(_ count: Int) throws(ClusterError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let start = filled
            let got = bytes.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress! + start, count - start) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .file(path, reason: TextFile.reason(errno)) }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }

    func write(_ bytes: [UInt8]) throws(ClusterError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .file(path, reason: TextFile.reason(errno)) }
            rest = rest.dropFirst(count)
        }
    }
}
