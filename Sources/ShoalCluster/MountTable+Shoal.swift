import ShoalMountTable

extension MountTable {
    /// The table of this moment.
    /// - Throws: `.file`.
    package static func current() throws(ClusterError) -> MountTable {
        do throws(Unreadable) { return try MountTable() } catch {
            throw .file(Unreadable.path, reason: TextFile.reason(error.errno))
        }
    }
}

extension MountTable.Entry {
    package var isShoal: Bool { filesystem == "fuse.shoal" }

    /// The process that serves a Shoal mount; its source is `shoal@HOST:PORT#PID`.
    package var process: ProcessIdentity? {
        guard isShoal, let hash = source.lastIndex(of: "#"), let pid = Int32(source[source.index(after: hash)...])
        else { return nil }
        return ProcessIdentity(runningAs: pid)
    }
}
