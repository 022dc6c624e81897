/// What of the POSIX suite may fail on two mounts, and why docs/posix.md says so.
enum KnownDifferences {
    /// `group:`, or a law's beginning.
    static let laws = [
        // Access times that the other mount has noted are seen when this one asks for the file again: to be told at once,
        // every reader would take every other reader's lease.
        "times: reading a file whose atime", "times: reading a symlink whose atime",
        "times: listing a directory whose atime", "times: reading at the end of a file moves atime",
        "times: copy_file_range moves the source's atime",
        // A directory that another mount has moved: inside rename(2) this kernel cannot move its own entry.
        "rename: two processes that move directories into each other",
        "two mounts: a directory that one has moved into its sibling",
    ]

    /// - Parameter failure: `group: law: what came`.
    static func covers(_ failure: String) -> Bool { laws.contains { failure.hasPrefix($0) } }
}
