import ShoalKeyValue
import ShoalTypes

extension NamespaceTransaction {
    /// What `name` refers to in `parent`, nil if nothing. Does not look whether `parent` exists.
    package func dentry(_ parent: InodeID, _ name: FileName) throws(MetadataError) -> Dentry? {
        let key = InodeCache.DentryKey(parent: parent, name: name)
        if let change = dentryChanges.first(where: { $0.key == key }) { return change.dentry }
        if let cached = namespace.cache.dentry(key) { return cached }
        let bytes: [UInt8]?
        do { bytes = try namespace.store.get(Keys.dentry(parent, name)) } catch { throw .store(error) }
        var dentry: Dentry?
        if let bytes { dentry = try Dentry(stored: bytes) }
        namespace.cache.set(key, dentry)
        return dentry
    }

    /// Names `record` in `parent`, at `cookie` in the listing; replaces what the name or the cookie referred to.
    mutating func setDentry(_ parent: InodeID, _ name: FileName, to record: InodeRecord, cookie: UInt64) {
        let kind = record.attributes.kind
        set(parent, name, Dentry(inode: record.inode, kind: kind, cookie: cookie))
        put(Keys.cookie(parent, cookie), CookieRecord(inode: record.inode, kind: kind, name: name).stored())
    }

    mutating func removeDentry(_ parent: InodeID, _ name: FileName, cookie: UInt64) {
        set(parent, name, nil)
        delete(Keys.cookie(parent, cookie))
    }

    private mutating func set(_ parent: InodeID, _ name: FileName, _ dentry: Dentry?) {
        let key = InodeCache.DentryKey(parent: parent, name: name)
        if let index = dentryChanges.firstIndex(where: { $0.key == key }) {
            dentryChanges[index].dentry = dentry
        } else {
            dentryChanges.append(DentryChange(key: key, dentry: dentry))
        }
    }
}
