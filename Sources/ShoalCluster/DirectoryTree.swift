import Glibc

enum DirectoryTree {
    /// The names in a directory but for "." and "..", sorted.
    static func names(in path: String) throws(ClusterError) -> [String] {
        guard let stream = opendir(path) else { throw .file(path, reason: TextFile.reason(errno)) }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw .file(path, reason: TextFile.reason(errno)) }
        return names.sorted()
    }

    /// Deletes a file, or a directory with all that is in it; symlinks are deleted, not followed. No effect if it is
    /// absent.
    static func remove(_ path: String) throws(ClusterError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw .file(path, reason: TextFile.reason(errno))
        }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try names(in: path) { try remove("\(path)/\(name)") }
        }
        guard Glibc.remove(path) == 0 || errno == ENOENT else { throw .file(path, reason: TextFile.reason(errno)) }
    }
}
