/// What of the POSIX suite may fail on a mount, because Shoal does not have it yet. Each line goes when its feature comes.
enum KnownMissing {
    /// `group:`, or a law's beginning.
    static let laws = [
        // Access times that the other mount has noted are seen a moment later.
        "times: reading a file whose atime", "times: reading a symlink whose atime",
        "times: listing a directory whose atime", "times: reading at the end of a file moves atime",
        "times: copy_file_range moves the source's atime",
        // A directory that another mount has moved.
        "rename: two processes that move directories into each other",
        "two mounts: a directory that one has moved into its sibling",
    ]

    /// - Parameter failure: `group: law: what came`.
    static func covers(_ failure: String) -> Bool { laws.contains { failure.hasPrefix($0) } }
}
