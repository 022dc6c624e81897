import CFuse3
import Glibc
import ShoalTypes

/// The answer to readdir and readdirplus: entries are added until one does not fit, then `finish()`.
///
/// The adapter adds `.` and `..` itself. The kernel's offsets 1 and 2 mean "after `.`" and "after `..`"; offset n + 2
/// is the filesystem's cookie n.
///
/// Unchecked: like its request, it has one user at a time.
package final class FuseDirectoryReply: @unchecked Sendable {
    package let request: FuseRequest
    /// readdirplus: entries carry attributes, and each one taken counts as a lookup. Add them with
    /// `add(_:_:next:timeouts:)`; otherwise either `add` does.
    package let wantsAttributes: Bool
    private let buffer: UnsafeMutableRawBufferPointer
    private var bytesUsed = 0

    /// - Parameter bytesMax: the most that the kernel takes.
    init(request: FuseRequest, bytesMax: Int, wantsAttributes: Bool) {
        self.request = request
        self.wantsAttributes = wantsAttributes
        buffer = .allocate(byteCount: bytesMax, alignment: 8)
    }

    deinit { buffer.deallocate() }

    /// - Parameter next: the cookie of the place after this entry.
    /// - Returns: false if it did not fit; then it was not added, and the reply is full.
    package func add(
        _ name: FileName, _ attributes: FileAttributes, next cookie: FuseDirectoryCookie,
        timeouts: FuseCacheTimeouts = .none, generation: UInt64 = 0
    ) -> Bool {
        let offset = FuseDirectoryReply.kernelOffset(of: cookie)
        return name.withCString { name in
            wantsAttributes
                ? append(name, attributes.entryParameters(timeouts, generation: generation), offset)
                : append(name, attributes.stat, offset)
        }
    }

    /// Adds an entry without attributes. In readdirplus the kernel will look it up when it needs it.
    package func add(
        _ name: FileName, _ inode: InodeID, _ kind: FileKind, next cookie: FuseDirectoryCookie
    ) -> Bool {
        name.withCString { append($0, inode: inode, kind, offset: FuseDirectoryReply.kernelOffset(of: cookie)) }
    }

    /// Sends what was added; nothing added means the end of the directory.
    /// - Returns: false if the kernel did not take it; then no lookup counts.
    @discardableResult
    package func finish() -> Bool {
        request.answer { fuse_reply_buf($0, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), bytesUsed) }
    }

    package func error(_ error: FileError) { request.fail(error) }

    /// Adds what of `.` and `..` follows the kernel's `offset`.
    /// - Returns: the filesystem's cookie to go on from.
    func addDots(after offset: Int, directory: InodeID, parent: InodeID?) -> FuseDirectoryCookie {
        if offset < 1 { _ = append(".", inode: directory, .directory, offset: 1) }
        if offset < 2 {
            _ = append("..", inode: parent ?? FuseDirectoryReply.unknownInode, .directory, offset: 2)
        }
        return FuseDirectoryCookie(UInt64(max(offset - 2, 0)))
    }

    /// FUSE_UNKNOWN_INO
    private static let unknownInode = InodeID(0xFFFF_FFFF)

    private static func kernelOffset(of cookie: FuseDirectoryCookie) -> Int {
        precondition(cookie <= .max && cookie > .start, "a cookie is 1...max")
        return Int(cookie.rawValue) + 2
    }

    /// libfuse takes only type and number from here. A zero node ID in readdirplus says "look it up yourself".
    private func append(_ name: UnsafePointer<CChar>, inode: InodeID, _ kind: FileKind, offset: Int) -> Bool {
        var status = stat()
        status.st_ino = UInt(inode.rawValue)
        status.st_mode = kind.rawValue
        guard wantsAttributes else { return append(name, status, offset) }
        var parameters = fuse_entry_param()
        parameters.attr = status
        return append(name, parameters, offset)
    }

    private func append(_ name: UnsafePointer<CChar>, _ status: stat, _ offset: Int) -> Bool {
        var status = status
        return append { fuse_add_direntry(nil, $0, $1, name, &status, offset) }
    }

    private func append(_ name: UnsafePointer<CChar>, _ parameters: fuse_entry_param, _ offset: Int) -> Bool {
        var parameters = parameters
        return append { fuse_add_direntry_plus(nil, $0, $1, name, &parameters, offset) }
    }

    /// libfuse answers the bytes that the entry needs, and writes them only if they fit.
    private func append(_ encode: (UnsafeMutablePointer<CChar>, Int) -> Int) -> Bool {
        let bytesLeft = buffer.count - bytesUsed
        let place = (buffer.baseAddress! + bytesUsed).assumingMemoryBound(to: CChar.self)
        let bytes = encode(place, bytesLeft)
        guard bytes <= bytesLeft else { return false }
        bytesUsed += bytes
        return true
    }
}
