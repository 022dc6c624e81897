import ShoalTypes

/// Decoded inodes and dentries as the store holds them, absent names too; the recently used ones. Bounded by
/// `NamespaceLimits`.
struct InodeCache {
    struct DentryKey: Hashable {
        let parent: InodeID
        let name: FileName
    }
    private var inodes: LeastRecentlyUsedTable<InodeID, InodeRecord>
    private var dentries: LeastRecentlyUsedTable<DentryKey, Dentry?>

    init(limits: NamespaceLimits) {
        inodes = LeastRecentlyUsedTable(countMax: limits.inodesCachedMax)
        dentries = LeastRecentlyUsedTable(countMax: limits.dentriesCachedMax)
    }

    mutating func inode(_ inode: InodeID) -> InodeRecord? { inodes.value(inode) }
    mutating func set(_ inode: InodeID, _ record: InodeRecord?) {
        if let record { inodes.set(inode, record) } else { inodes.remove(inode) }
    }

    /// Nil if the cache does not know, `.some(nil)` if the name is absent.
    mutating func dentry(_ key: DentryKey) -> Dentry?? { dentries.value(key) }
    mutating func set(_ key: DentryKey, _ dentry: Dentry?) { dentries.set(key, dentry) }
}
