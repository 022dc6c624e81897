import Glibc
import Synchronization

/// A node's data directory, locked until `release` or the end of the value: `lock`, `identity`, `chunks/`.
package final class NodeDirectory: Sendable {
    package let path: String
    /// -1 once released.
    private let lockDescriptor: Atomic<CInt>

    package var chunksPath: String { "\(path)/chunks" }
    private var identityPath: String { "\(path)/identity" }

    /// Makes the directory if it is missing, and takes its lock. Leaves a directory alone that is somebody else's.
    /// - Throws: `.directoryInUse`, `.cannotUseDirectory`, `.notOurs`; as `readIdentity`.
    package init(path: String) throws(NodeError) {
        if mkdir(path, 0o700) != 0 {
            let code = errno
            guard access(path, F_OK) == 0 else { throw NodeDirectory.failure(path, code) }
            try NodeDirectory.checkOurs(path)
        }
        let descriptor = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw NodeDirectory.failure(path, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            Glibc.close(descriptor)
            throw reason == EWOULDBLOCK ? .directoryInUse(path) : NodeDirectory.failure(path, reason)
        }
        self.path = path
        lockDescriptor = Atomic(descriptor)
    }

    deinit { release() }

    /// Lets another process, or a later start in this one, have the directory.
    package func release() {
        let descriptor = lockDescriptor.exchange(-1, ordering: .acquiringAndReleasing)
        if descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// An identity that can be read says that it is ours; without one there may be what an earlier start left.
    private static func checkOurs(_ path: String) throws(NodeError) {
        guard try readIdentity("\(path)/identity") == nil else { return }
        guard let stream = opendir(path) else { throw failure(path, errno) }
        defer { closedir(stream) }
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            // Hidden files are nobody's data, and logs may lie beside the chunks.
            let isHarmless = name.hasPrefix(".") || name.hasSuffix(".log")
            guard isHarmless || ["lock", "chunks", "identity.new", "lost+found"].contains(name) else {
                throw .notOurs(path)
            }
        }
    }

    /// The identity, nil in a directory that has none yet.
    /// - Throws: `.corruptIdentity`, `.unsupportedFormat`, `.cannotUseDirectory`.
    package func readIdentity() throws(NodeError) -> NodeIdentity? { try NodeDirectory.readIdentity(identityPath) }

    private static func readIdentity(_ identityPath: String) throws(NodeError) -> NodeIdentity? {
        let descriptor = open(identityPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw NodeDirectory.failure(identityPath, errno)
        }
        defer { Glibc.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: NodeIdentity.bytesMax + 1)
        let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw NodeDirectory.failure(identityPath, errno) }
        guard count <= NodeIdentity.bytesMax else { throw .corruptIdentity(path: identityPath, reason: "too long") }
        do throws(NodeIdentity.ParseError) {
            return try NodeIdentity(parsing: Array(bytes[..<count]))
        } catch {
            switch error {
            case .corrupt(let reason): throw .corruptIdentity(path: identityPath, reason: reason)
            case .unsupportedFormat(let format): throw .unsupportedFormat(path: identityPath, format: format)
            }
        }
    }

    /// Writes the identity so that a crash leaves the old file or the new one.
    package func writeIdentity(_ identity: NodeIdentity) throws(NodeError) {
        let temporary = "\(identityPath).new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw NodeDirectory.failure(temporary, errno) }
        let bytes = identity.encoded
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        let failure: CInt? =
            written != bytes.count ? (written < 0 ? errno : ENOSPC) : fsync(descriptor) != 0 ? errno : nil
        Glibc.close(descriptor)
        if let failure { throw NodeDirectory.failure(temporary, failure) }
        guard rename(temporary, identityPath) == 0 else { throw NodeDirectory.failure(identityPath, errno) }
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw NodeDirectory.failure(path, errno) }
        defer { Glibc.close(directory) }
        guard fsync(directory) == 0 else { throw NodeDirectory.failure(path, errno) }
    }

    private static func failure(_ path: String, _ code: CInt) -> NodeError {
        .cannotUseDirectory(path, reason: String(cString: strerror(code)))
    }
}
