import Glibc

/// Looks at other processes through /proc; what cannot be read (somebody else's) is passed over.
enum MountUsers {
    /// The processes that have something below `path` open or as their directory, in words.
    static func describe(_ path: String) -> String {
        let users = processes().filter { uses($0, path) }
        guard !users.isEmpty else { return "some process" }
        let named = users.prefix(3).map(describe(process:))
        return named.joined(separator: ", ") + (users.count > 3 ? " and \(users.count - 3) more" : "")
    }

    private static func describe(process pid: Int32) -> String {
        let name = TextFile.readIfPresent("/proc/\(pid)/comm").map { String($0.prefix { !$0.isNewline }) } ?? "?"
        return "\(name) (process \(pid))"
    }

    private static func uses(_ pid: Int32, _ path: String) -> Bool {
        let links =
            ["/proc/\(pid)/cwd", "/proc/\(pid)/root", "/proc/\(pid)/exe"]
            + names(in: "/proc/\(pid)/fd").map { "/proc/\(pid)/fd/\($0)" }
        return links.contains { link in
            guard let target = readLink(link) else { return false }
            return target == path || target.hasPrefix(path + "/")
        }
    }

    private static func processes() -> [Int32] { names(in: "/proc").compactMap { Int32($0) }.sorted() }

    /// A directory that cannot be listed has no names: its process is somebody else's, or gone.
    private static func names(in directory: String) -> [String] {
        do throws(ClusterError) { return try DirectoryTree.names(in: directory) } catch { return [] }
    }

    private static func readLink(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }
}
