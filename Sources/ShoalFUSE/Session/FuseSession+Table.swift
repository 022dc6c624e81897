import ShoalMountTable

extension FuseSession {
    /// What is mounted exactly at `mountpoint` (absolute, resolved); nil if nothing is.
    static func entry(at mountpoint: String) throws(FuseError) -> MountTable.Entry? {
        do throws(MountTable.Unreadable) { return try MountTable().entry(at: mountpoint) } catch {
            throw .mountFailed(mountpoint, reason: error.description)
        }
    }
}
