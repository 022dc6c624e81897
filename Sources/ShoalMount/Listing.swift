import ShoalFUSE

/// How far the listing of one open directory goes: to the names that were there when it began, or began anew with
/// rewinddir(3). Without that bound it would follow a directory that grows as fast as it is read.
struct Listing {
    /// O_NOATIME: the access does not count.
    let keepsAccessTime: Bool
    /// The kernel keeps what it reads.
    let isKept: Bool
    /// `ReadDirectoryReply.before`; 0 until the first answer. Of what is in the kernel's pages, which it may have the first names
    /// from, that of the listing that filled them.
    var before: UInt64

    /// After the last entry of all, once that has been given.
    var end: FuseDirectoryCookie?

    init(keepsAccessTime: Bool, isKept: Bool, before: UInt64) {
        self.before = before
        self.keepsAccessTime = keepsAccessTime
        self.isKept = isKept
    }

    /// What to ask with for the entries after `cookie`; 0 begins anew. seekdir(3) to a place past the end, which another
    /// listing may have given, begins anew as well.
    func bound(after cookie: FuseDirectoryCookie) -> UInt64 {
        cookie == .start || cookie.rawValue >= before ? 0 : before
    }
}
