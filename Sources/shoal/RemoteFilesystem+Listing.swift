import ShoalClient
import ShoalTypes
import ShoalWire

extension RemoteFilesystem {
    /// The entries of a directory, sorted by name, with their attributes.
    func list(_ directory: InodeID, _ path: String) throws(PathError) -> [(name: FileName, attributes: FileAttributes)]
    {
        var found: [(FileName, FileAttributes)] = []
        var (cookie, bound): (UInt64, UInt64) = (0, 0)
        while true {
            let (after, before) = (cookie, bound)
            let reply: ReadDirectoryReply = try wait(path) {
                $0.readDirectory(
                    directory, after: after, before: before, limit: 1024, withAttributes: true, completion: $1)
            }
            for entry in reply.entries {
                // Absent while another mount writes the file: ask, and its writer is asked.
                if let attributes = entry.attributes {
                    found.append((entry.name, attributes))
                } else {
                    found.append((entry.name, try attributes(of: entry.inode, "\(path)/\(entry.name)")))
                }
            }
            guard !reply.isEnd, let last = reply.entries.last else { break }
            (cookie, bound) = (last.cookie, reply.before)
        }
        return found.sorted { $0.0 < $1.0 }
    }
}
