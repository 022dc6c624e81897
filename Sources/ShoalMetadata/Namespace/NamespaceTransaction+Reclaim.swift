import ShoalTypes

/// Content without a file, and files without a name.
extension NamespaceTransaction {
    /// Queues the content's chunks for deletion, if any can have been written.
    mutating func reclaim(_ attributes: FileAttributes) {
        reclaim(attributes.data, chunkCount: attributes.chunkCountMax, chunkBytesLog2: attributes.chunkBytesLog2)
    }

    mutating func reclaim(_ data: DataID, chunkCount: UInt64, chunkBytesLog2: UInt8) {
        guard data != .none, chunkCount > 0 else { return }
        let entry = ReclaimEntry(data: data, chunkCount: chunkCount, chunkBytesLog2: chunkBytesLog2)
        put(Keys.reclaim(data), entry.stored())
    }

    /// The first `limit` entries of the queue above `data`. Sync the store before any chunk of them is deleted: after a
    /// loss of power the file must not be back without its content.
    package func reclaimEntries(
        after data: DataID = .none, limit: Int
    ) throws(MetadataError) -> [ReclaimEntry] {
        var entries: [ReclaimEntry] = []
        guard limit > 0 else { return entries }
        try scan(from: Keys.reclaim(data.next), to: Keys.range(.reclaim).upper) { key, value throws(MetadataError) in
            var entry = try ReclaimEntry(stored: value)
            entry.data = DataID(Keys.field(key, at: 1))
            entries.append(entry)
            return entries.count < limit
        }
        return entries
    }

    /// Chunks below `firstChunk` have been deleted everywhere; the entry goes when that is all of them.
    package mutating func advanceReclaim(_ data: DataID, to firstChunk: UInt64) throws(MetadataError) {
        guard var entry = try record(ReclaimEntry.self, Keys.reclaim(data)) else { return }
        guard firstChunk < entry.chunkCount else { return delete(Keys.reclaim(data)) }
        entry.firstChunk = max(entry.firstChunk, firstChunk)
        put(Keys.reclaim(data), entry.stored())
    }

    /// Every chunk has been deleted everywhere.
    package mutating func finishReclaim(_ data: DataID) { delete(Keys.reclaim(data)) }

    /// The first `limit` orphans above `inode`: for the grace period after a restart.
    package func orphans(after inode: InodeID = InodeID(0), limit: Int) throws(MetadataError) -> [InodeID] {
        var orphans: [InodeID] = []
        guard limit > 0 else { return orphans }
        try scan(from: Keys.orphan(inode.next), to: Keys.range(.orphan).upper) { key, _ in
            orphans.append(InodeID(Keys.field(key, at: 1)))
            return orphans.count < limit
        }
        return orphans
    }

    /// Nobody uses the orphan any more: its inode goes and its content is queued. Does nothing to other inodes.
    /// - Returns: whether it was an orphan.
    @discardableResult
    package mutating func reclaimOrphan(_ inode: InodeID) throws(MetadataError) -> Bool {
        guard try get(Keys.orphan(inode)) != nil else { return false }
        let record = try referenced(inode)
        try delete(record)
        delete(Keys.orphan(inode))
        reclaim(record.attributes)
        return true
    }
}
