import ShoalKeyValue
import ShoalTypes

extension Namespace {
    /// Whether `format` has been run on the store.
    package static func isFormatted(_ store: any KeyValueStore) throws(MetadataError) -> Bool {
        do { return try store.get(Keys.superblock) != nil } catch { throw .store(error) }
    }

    /// Makes an empty filesystem in an empty store: superblock, counters, and a root with mode 0755. Synced.
    /// - Precondition: the store is not formatted.
    package static func format(
        _ store: any KeyValueStore, cluster: ClusterID, uid: UInt32, gid: UInt32, now: Timestamp
    ) throws(MetadataError) {
        let isFormatted = try isFormatted(store)
        precondition(!isFormatted, "the store holds a filesystem already")
        let root = FileAttributes(
            inode: .root, mode: FileKind.directory.rawValue | 0o755, linkCount: 2, uid: uid, gid: gid,
            size: InodeRecord.directoryBytes, accessTime: now, modifyTime: now, changeTime: now)
        var batch = WriteBatch()
        batch.put(Keys.superblock, Superblock(cluster: cluster, formattedAt: now).stored())
        batch.put(Keys.identifiers, Identifiers().stored())
        batch.put(Keys.inodeCount, InodeCount(1).stored())
        batch.put(Keys.restartCount, RestartCount(0).stored())
        batch.put(Keys.inode(.root), InodeRecord(root, parent: .root).stored())
        do { try store.commit(batch, sync: true) } catch { throw .store(error) }
    }
}
