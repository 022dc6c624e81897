/// What of the POSIX suite may fail on a mount, because Shoal does not have it yet. Each line goes when its feature comes.
enum KnownMissing {
    /// `group:`, or a law's beginning.
    static let laws = [
        // Space: allocation, holes, blocks.
        "fallocate: ", "lseek: SEEK_", "write: a sparse file takes no blocks for its holes",
        // Shared mappings: files are opened for direct I/O.
        "mmap: ", "two mounts: a mapping made after the other's write", "two mounts: bytes written through a mapping",
        // Set-id bits and access times.
        "special bits: ", "times: reading a file whose atime", "times: reading a symlink whose atime",
        "times: listing a directory whose atime",
        // Removed directories that are still open.
        "directories: a removed directory has 0 links", "working directory: in a removed working directory",
        // A listing follows names that are made meanwhile.
        "readdir: what stays through a listing is listed once",
        // A name that is replaced while it is opened; a directory that another mount has moved.
        "rename: an observer always finds the name", "rename: two processes that move directories into each other",
        "two mounts: a directory that one has moved into its sibling",
    ]

    /// - Parameter failure: `group: law: what came`.
    static func covers(_ failure: String) -> Bool { laws.contains { failure.hasPrefix($0) } }
}
