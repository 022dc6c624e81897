import ShoalTypes
import ShoalWire

/// Files that lose their last name while the trash is on.
extension NamespaceTransaction {
    package var trash: TrashState { trashChange ?? namespace.trash }

    func isTrashRoot(_ record: InodeRecord) -> Bool {
        record.isDirectory && record.inode == trash.root
    }

    /// `/.trash` or a directory in it.
    func isTrash(_ directory: InodeRecord) -> Bool {
        let root = trash.root
        return root.rawValue != 0 && directory.isDirectory && (directory.inode == root || directory.parent == root)
    }

    /// What the leases must allow before a file loses its last name in `parent`.
    func lastNameNeeds(of record: InodeRecord, in parent: InodeID) throws(MetadataError) -> [LeaseNeed] {
        guard let trash = try trashDirectory(for: record, in: parent) else { return [.lastName(record.inode)] }
        // The trash may not be able to take it (`keepInTrash`): then whoever has it open keeps it.
        return [.changeAnyName(trash.inode), .lastName(record.inode)]
    }

    /// Where the file goes when it loses a name in `parent`; nil if it does not go to the trash: it has other names, is
    /// no regular file, or is there already.
    func trashDirectory(for record: InodeRecord, in parent: InodeID) throws(MetadataError) -> InodeRecord? {
        guard trash.isOn, record.attributes.kind == .regular, record.losesContentWithName else { return nil }
        let former = try referenced(parent)
        guard !isTrash(former) else { return nil }
        // Somebody may have removed the hour's directory; then the trash itself serves until the next hour.
        if let directory = try inode(trash.directory), directory.isDirectory, directory.parent == trash.root {
            return directory
        }
        return try inode(trash.root)
    }

    /// Gives the file a name in the trash.
    /// - Returns: false if that name is taken, which only happens when somebody made it by hand.
    mutating func keepInTrash(
        _ record: inout InodeRecord, _ trash: InodeRecord, _ parent: InodeID, _ name: FileName, _ now: Timestamp
    ) throws(MetadataError) -> Bool {
        let cookie = allocateCookie()
        let kept = Self.trashName(cookie, name)
        guard try dentry(trash.inode, kept) == nil else { return false }
        // It may have changed since, in this transaction.
        var directory = try self.directory(trash.inode)
        try moveQuota(of: &record, to: directory)
        record.attributes.changeTime = now
        update(record)
        setDentry(directory.inode, kept, to: record, cookie: cookie)
        directory.gainedName(of: record, at: now)
        update(directory)
        var entry = TrashEntry()
        entry.directory = directory.inode
        entry.name = kept
        if directory.inode == self.trash.directory { entry.hour = self.trash.hour }
        entry.formerParent = parent
        entry.formerName = name
        put(Keys.trashEntry(now.trashMilliseconds, record.inode), entry.stored())
        return true
    }

    /// `NUMBER-NAME`, cut to what a name may have; the number is never used again.
    private static func trashName(_ cookie: UInt64, _ name: FileName) -> FileName {
        let bytes = Array("\(cookie)-".utf8) + name.bytes
        do throws(FileError) { return try FileName(Array(bytes.prefix(FileName.bytesMax))) } catch {
            preconditionFailure("a number and a part of a name are a name")
        }
    }

    /// Up to `limit` records after `place`, the oldest first, up to and including `milliseconds`.
    package func trashEntries(
        after place: TrashPlace = TrashPlace(), upTo milliseconds: UInt64 = .max, limit: Int
    ) throws(MetadataError) -> [(place: TrashPlace, entry: TrashEntry)] {
        var found: [(TrashPlace, TrashEntry)] = []
        guard limit > 0, place.inode.rawValue < .max else { return found }
        let lower = Keys.trashEntry(place.milliseconds, place.inode.next)
        try scan(from: lower, to: Keys.range(.trash).upper) { key, value throws(MetadataError) in
            let next = TrashPlace(milliseconds: Keys.field(key, at: 1), inode: InodeID(Keys.field(key, at: 9)))
            guard next.milliseconds <= milliseconds else { return false }
            found.append((next, try TrashEntry(stored: value)))
            return found.count < limit
        }
        return found
    }

    /// The file that the record is about, if it is still where it was put.
    func kept(_ place: TrashPlace, _ entry: TrashEntry) throws(MetadataError) -> InodeRecord? {
        guard let dentry = try dentry(entry.directory, entry.name), dentry.inode == place.inode,
            dentry.kind == .regular
        else { return nil }
        return try referenced(dentry.inode)
    }

    /// The directory of an hour, if it is where it was made and has only so many entries.
    func emptyTrashHour(
        _ hour: UInt64, _ directory: InodeID, entries: UInt64
    ) throws(MetadataError) -> (directory: InodeRecord, name: FileName, dentry: Dentry)? {
        let name = TrashState.name(ofHour: hour)
        guard let dentry = try dentry(trash.root, name), dentry.inode == directory,
            let record = try inode(directory), record.isDirectory, record.entryCount == entries
        else { return nil }
        return (record, name, dentry)
    }

    /// Makes a directory for what belongs to the trash.
    mutating func makeTrashDirectory(
        _ name: FileName, in parent: InodeRecord, now: Timestamp
    ) -> InodeRecord {
        var parent = parent
        let attributes = FileAttributes(
            inode: allocateInode(), mode: FileKind.directory.rawValue | TrashState.directoryMode, linkCount: 2,
            size: InodeRecord.directoryBytes, accessTime: now, modifyTime: now, changeTime: now)
        var record = InodeRecord(attributes, parent: parent.inode)
        record.quota = quotaTree(ofEntriesOf: parent)
        insert(record)
        setDentry(parent.inode, name, to: record, cookie: allocateCookie())
        parent.gainedName(of: record, at: now)
        update(parent)
        return record
    }
}
