import ShoalClient
import ShoalTypes
import ShoalWire

/// Paths of directories by their inodes: found by looking through the directories above, and remembered.
struct DirectoryPaths {
    private let remote: RemoteFilesystem
    private var known: [InodeID: String] = [.root: "/"]

    init(_ remote: RemoteFilesystem) { self.remote = remote }

    /// `inode:N` for a directory that is gone.
    mutating func path(of directory: InodeID) throws(PathError) -> String {
        if let path = known[directory] { return path }
        let path = try find(directory) ?? "inode:\(directory)"
        known[directory] = path
        return path
    }

    /// `name` in a directory.
    mutating func path(of name: FileName, in directory: InodeID) throws(PathError) -> String {
        let path = try path(of: directory)
        return path == "/" ? "/\(name)" : "\(path)/\(name)"
    }

    private mutating func find(_ directory: InodeID) throws(PathError) -> String? {
        guard let parent = try page(of: directory, after: 0, limit: 1)?.parent else { return nil }
        var cookie: UInt64 = 0
        var bound: UInt64 = 0
        while let page = try page(of: parent, after: cookie, before: bound, limit: 1024) {
            bound = page.before
            if let entry = page.entries.first(where: { $0.inode == directory }) {
                return try path(of: entry.name, in: parent)
            }
            guard !page.isEnd, let last = page.entries.last else { break }
            cookie = last.cookie
        }
        return nil
    }

    private func page(
        of directory: InodeID, after: UInt64, before: UInt64 = 0, limit: Int
    ) throws(PathError) -> ReadDirectoryReply? {
        do {
            let page: ReadDirectoryReply = try remote.wait("/") {
                $0.readDirectory(
                    directory, after: after, before: before, limit: limit, withAttributes: false, completion: $1)
            }
            return page
        } catch {
            guard error.error == .notFound || error.error == .notDirectory else { throw error }
            return nil
        }
    }
}
