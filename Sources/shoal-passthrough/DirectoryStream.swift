import Glibc
import ShoalFUSE
import ShoalTypes

/// An open directory beneath. Cookie n is the place after its nth entry. The kernel calls it from one thread at a time.
final class DirectoryStream {
    struct Entry {
        let name: FileName
        let inode: InodeID
        let kind: FileKind
    }

    private let directory: OpaquePointer
    /// The cookie after the entry that `next()` returned last.
    private(set) var position = FuseDirectoryCookie.start
    private var returned: Entry?

    init(descriptor: CInt) throws(FileError) {
        let copy = try succeed(openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        guard let directory = fdopendir(copy) else { throw FileError(errno: errno) }
        self.directory = directory
    }

    deinit { closedir(directory) }

    var descriptor: CInt { dirfd(directory) }

    /// The next `next()` is the entry after `cookie`.
    func seek(to cookie: FuseDirectoryCookie) throws(FileError) {
        if cookie == .start || cookie < position {
            returned = nil
            position = .start
            rewinddir(directory)
        }
        while position < cookie, try next() != nil {}
    }

    func next() throws(FileError) -> Entry? {
        if let entry = returned {
            returned = nil
            position = position.next
            return entry
        }
        while true {
            errno = 0
            guard let entry = readdir(directory) else {
                guard errno == 0 else { throw FileError(errno: errno) }
                return nil
            }
            let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if bytes == [0x2E] || bytes == [0x2E, 0x2E] { continue }
            position = position.next
            return Entry(
                name: try FileName(bytes), inode: InodeID(UInt64(entry.pointee.d_ino)),
                kind: FileKind(mode: UInt32(entry.pointee.d_type) << 12) ?? .regular)
        }
    }

    /// Takes `entry`, which `next()` just returned, back: it did not fit.
    func putBack(_ entry: Entry) {
        returned = entry
        position = FuseDirectoryCookie(position.rawValue - 1)
    }
}
