import CFuse3
import Glibc
import ShoalTypes

/// The answer to readdir and readdirplus: entries are added until one does not fit, then `finish()`.
///
/// Begin with `addDots(parent:)`, which knows whether they are due. The kernel's offsets 1 and 2 mean "after `.`" and "after `..`"; offset n + 2
/// is the filesystem's cookie n.
///
/// Unchecked: like its request, it has one user at a time.
package final class FuseDirectoryReply: @unchecked Sendable {
    package let request: FuseRequest
    /// readdirplus: entries carry attributes, and each one taken counts as a lookup. Add them with
    /// `add(_:_:next:timeouts:)`; otherwise either `add` does.
    package let wantsAttributes: Bool
    /// The most entries that can fit: those with names of one byte.
    package let entriesMax: Int
    private let directory: InodeID
    private let offset: Int
    private let buffer: UnsafeMutableRawBufferPointer
    private var bytesUsed = 0

    /// - Parameters:
    ///   - offset: where the kernel goes on in `directory`.
    ///   - bytesMax: the most that the kernel takes.
    init(request: FuseRequest, directory: InodeID, offset: Int, bytesMax: Int, wantsAttributes: Bool) {
        self.request = request
        self.directory = directory
        self.offset = offset
        let entry = wantsAttributes ? MemoryLayout<fuse_direntplus>.size : MemoryLayout<fuse_dirent>.size
        // Rounded up to eight bytes with its name.
        entriesMax = max(1, bytesMax / ((entry + 8) / 8 * 8))
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

    /// Adds `.` and `..` at the start of a listing; before any other entry.
    /// - Parameter parent: the directory that contains this one, for `d_ino` of its `..`; nil if not known.
    package func addDots(parent: InodeID?) {
        precondition(bytesUsed == 0, "the dots come first")
        if offset < 1 { _ = append(".", inode: directory, .directory, offset: 1) }
        if offset < 2 {
            let parent = directory == .root ? directory : parent ?? FuseDirectoryReply.unknownInode
            _ = append("..", inode: parent, .directory, offset: 2)
        }
    }

    /// FUSE_UNKNOWN_INO
    private static let unknownInode = InodeID(0xFFFF_FFFF)

    /// The filesystem's cookie to go on from.
    var cookie: FuseDirectoryCookie { FuseDirectoryCookie(UInt64(max(offset - 2, 0))) }

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
