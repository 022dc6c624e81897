import Glibc

/// Where a local cluster keeps what, under its directory:
///
///     cluster.json   ports, processes, mounts (docs/formats/cluster-json.md)
///     lock           held by the `up` or `down` that is at work
///     meta/          the metadata server's directory
///     node1/ ...     the storage nodes' directories
///     logs/          one log per process
package struct ClusterLayout: Sendable {
    /// Absolute.
    package let directory: String

    package init(directory: String) throws(ClusterError) { self.directory = try Self.absolute(directory) }

    package var statePath: String { "\(directory)/cluster.json" }
    package var lockPath: String { "\(directory)/lock" }
    package var logDirectory: String { "\(directory)/logs" }
    package func data(of name: String) -> String { "\(directory)/\(name)" }
    package func log(of name: String) -> String { "\(logDirectory)/\(name).log" }

    /// Makes the directories that are missing.
    package func make() throws(ClusterError) {
        for path in [directory, logDirectory] { try Self.makeDirectories(path) }
    }

    package static func makeDirectories(_ path: String) throws(ClusterError) {
        var made = ""
        for part in path.split(separator: "/") {
            made += "/\(part)"
            guard mkdir(made, 0o755) != 0 else { continue }
            // Where nothing may be made, EROFS or EACCES comes before EEXIST.
            let code = errno
            guard code == EEXIST || access(made, F_OK) == 0 else {
                throw .file(made, reason: TextFile.reason(code))
            }
        }
    }

    /// Without symlinks, "." and ".." as far as the path exists. The last part need not exist.
    package static func absolute(_ path: String) throws(ClusterError) -> String {
        if let resolved = realpath(path, nil) {
            defer { free(resolved) }
            return String(cString: resolved)
        }
        // A dead mount answers ENOTCONN; a directory that is yet to be made ENOENT. Their parents resolve.
        guard errno == ENOENT || errno == ENOTCONN else { throw .file(path, reason: TextFile.reason(errno)) }
        var trimmed = path[...]
        while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
        guard !trimmed.isEmpty, trimmed != "/", trimmed != "." else {
            throw .file(path, reason: TextFile.reason(errno))
        }
        guard let slash = trimmed.lastIndex(of: "/") else { return try "\(absolute("."))/\(trimmed)" }
        let parent = slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
        let resolved = try absolute(parent)
        return (resolved == "/" ? "" : resolved) + trimmed[slash...]
    }
}
