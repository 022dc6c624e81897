import CFuse3

/// What the kernel may do with an open file: the FOPEN_ bits of `fuse_open_out`.
package struct FuseOpenOptions: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Reads and writes bypass the page cache.
    package static let directIO = FuseOpenOptions(rawValue: 1 << 0)
    /// Pages cached by earlier opens stay. Without it, open drops them.
    package static let keepCache = FuseOpenOptions(rawValue: 1 << 1)
    package static let nonSeekable = FuseOpenOptions(rawValue: 1 << 2)
    /// Directories: the kernel may cache the entries.
    package static let cacheDirectory = FuseOpenOptions(rawValue: 1 << 3)
    /// close(2) sends no FLUSH.
    package static let noFlush = FuseOpenOptions(rawValue: 1 << 5)
    /// With `directIO`: writes to one file are not serialised by the kernel (Linux 6.0; not in libfuse 3.14).
    package static let parallelDirectWrites = FuseOpenOptions(rawValue: 1 << 6)
}

/// How long the kernel may use what an answer said, in seconds. 0: it asks every time.
package struct FuseCacheTimeouts: Hashable, Sendable {
    package var entry: Double
    package var attributes: Double
    package init(entry: Double, attributes: Double) {
        self.entry = entry
        self.attributes = attributes
    }
    package static let none = FuseCacheTimeouts(entry: 0, attributes: 0)
}
