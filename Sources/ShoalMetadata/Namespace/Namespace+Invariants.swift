import ShoalKeyValue
import ShoalTypes

extension Namespace {
    /// Reads the whole store and checks what must hold between its records: for tests, simulation and doubtful disks.
    /// Takes memory in proportion to the number of inodes.
    /// - Throws: `.corrupt` with the first contradiction.
    package func checkInvariants() throws(MetadataError) {
        var inodes: [InodeID: InodeRecord] = [:]
        var names: [InodeID: UInt64] = [:]
        var subdirectories: [InodeID: UInt32] = [:]
        var uses: [InodeID: UInt32] = [:]
        var dentries = 0
        let transaction = begin()

        try each(.inode, transaction) { key, value throws(MetadataError) in
            var record = try InodeRecord(stored: value)
            record.attributes.inode = InodeID(Keys.field(key, at: 1))
            inodes[record.inode] = record
        }
        try each(.dentry, transaction) { key, value throws(MetadataError) in
            let dentry = try Dentry(stored: value)
            let parent = InodeID(Keys.field(key, at: 1))
            guard let record = inodes[dentry.inode], record.attributes.kind == dentry.kind,
                let directory = inodes[parent], directory.isDirectory
            else { throw .corrupt("a name in \(parent) for \(dentry.inode) does not fit their records") }
            let name: FileName
            do { name = try FileName(key[9...]) } catch { throw .corrupt("a dentry of \(parent) has no name") }
            let listed = try transaction.record(CookieRecord.self, Keys.cookie(parent, dentry.cookie))
            guard listed == CookieRecord(inode: dentry.inode, kind: dentry.kind, name: name) else {
                throw .corrupt("\(name) in \(parent) is not listed under its cookie \(dentry.cookie)")
            }
            if record.isDirectory {
                guard record.parent == parent else { throw .corrupt("`..` of \(dentry.inode) is not \(parent)") }
                subdirectories[parent, default: 0] += 1
            }
            names[parent, default: 0] += 1
            uses[dentry.inode, default: 0] += 1
            dentries += 1
        }
        try each(.cookie, transaction) { _, _ in dentries -= 1 }
        let summaries = try extendedAttributeSummaries(transaction)
        guard dentries == 0 else { throw .corrupt("\(-dentries) more names are listed than there are") }
        guard inodeCount == inodes.count else { throw .corrupt("\(inodes.count) inodes, counted as \(inodeCount)") }
        guard summaries.keys.allSatisfy({ inodes[$0] != nil }) else {
            throw .corrupt("an extended attribute of an inode that is not there")
        }
        for (inode, record) in inodes {
            guard record.attributes.extendedAttributes == summaries[inode, default: .none] else {
                throw .corrupt("the extended attributes of \(inode) are not what it counts")
            }
            let links = record.attributes.linkCount
            if record.isDirectory {
                guard record.entryCount == names[inode, default: 0], links == 2 + subdirectories[inode, default: 0],
                    inode == .root || uses[inode] == 1
                else { throw .corrupt("counts of directory \(inode) are wrong") }
            } else {
                guard links == uses[inode, default: 0] else { throw .corrupt("\(inode) has not \(links) names") }
                let isOrphan = try transaction.get(Keys.orphan(inode)) != nil
                guard isOrphan == (links == 0) else { throw .corrupt("\(inode) is neither named nor an orphan") }
            }
        }
        try checkQuotas(inodes)
    }

    private func extendedAttributeSummaries(
        _ transaction: borrowing NamespaceTransaction
    ) throws(MetadataError) -> [InodeID: ExtendedAttributeSummary] {
        var summaries: [InodeID: ExtendedAttributeSummary] = [:]
        try each(.extendedAttribute, transaction) { key, value throws(MetadataError) in
            let inode = InodeID(Keys.field(key, at: 1))
            let name: ExtendedAttributeName
            do { name = try ExtendedAttributeName(key[9...]) } catch {
                throw .corrupt("an extended attribute of \(inode) has no name")
            }
            let count = try ExtendedAttributeValue(stored: value).bytes.count
            guard let sum = summaries[inode, default: .none].adding(name, valueBytes: count) else {
                throw .corrupt("\(inode) has more extended attributes than an inode may have")
            }
            summaries[inode] = sum
        }
        return summaries
    }

    func each(
        _ prefix: Keys.Prefix, _ transaction: borrowing NamespaceTransaction,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(MetadataError) -> Void
    ) throws(MetadataError) {
        let range = Keys.range(prefix)
        try transaction.scan(from: range.lower, to: range.upper) { key, value throws(MetadataError) in
            try body(key, value)
            return true
        }
    }
}
