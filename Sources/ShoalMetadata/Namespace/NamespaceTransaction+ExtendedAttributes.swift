import ShoalTypes

/// Extended attributes of an inode whose record is at hand; the record's summary says what they take together.
extension NamespaceTransaction {
    /// The value; nil if there is no such attribute.
    package func extendedAttribute(
        _ name: ExtendedAttributeName, of record: InodeRecord
    ) throws(MetadataError) -> [UInt8]? {
        guard !record.attributes.extendedAttributes.isEmpty else { return nil }
        return try self.record(ExtendedAttributeValue.self, Keys.extendedAttribute(record.inode, name))?.bytes
    }

    /// Every attribute in the order of their names, until `body` returns false.
    package func eachExtendedAttribute(
        of record: InodeRecord, _ body: (ExtendedAttributeName, [UInt8]) throws(MetadataError) -> Bool
    ) throws(MetadataError) {
        guard !record.attributes.extendedAttributes.isEmpty else { return }
        let range = Keys.range(.extendedAttribute, record.inode.rawValue)
        try scan(from: range.lower, to: range.upper) { key, value throws(MetadataError) in
            let name: ExtendedAttributeName
            do { name = try ExtendedAttributeName(key[9...]) } catch {
                throw .corrupt("an extended attribute of \(record.inode) has no name")
            }
            return try body(name, try ExtendedAttributeValue(stored: value).bytes)
        }
    }

    /// What the summary of `record` becomes when the attribute gets this value, or goes (nil).
    /// - Throws: `.noSpace` past the limits of an inode.
    func summary(
        of record: InodeRecord, setting name: ExtendedAttributeName, to value: [UInt8]?
    ) throws(MetadataError) -> ExtendedAttributeSummary {
        var summary = record.attributes.extendedAttributes
        if let old = try extendedAttribute(name, of: record) {
            guard let rest = summary.removing(name, valueBytes: old.count) else {
                throw .corrupt("inode \(record.inode) has more extended attributes than it counts")
            }
            summary = rest
        }
        guard let value else { return summary }
        guard let more = summary.adding(name, valueBytes: value.count) else { throw .file(.noSpace) }
        return more
    }

    /// Sets the attribute, or removes it (nil). `record` is changed, and is the caller's to write.
    /// - Throws: `.noSpace` past the limits of an inode; nothing has changed then.
    mutating func setExtendedAttribute(
        _ name: ExtendedAttributeName, of record: inout InodeRecord, to value: [UInt8]?
    ) throws(MetadataError) {
        let summary = try summary(of: record, setting: name, to: value)
        guard summary != record.attributes.extendedAttributes || value != nil else { return }
        record.attributes.extendedAttributes = summary
        let key = Keys.extendedAttribute(record.inode, name)
        if let value { put(key, ExtendedAttributeValue(value).stored()) } else { delete(key) }
    }

    /// The ACL that is stored under `name`; nil if there is none.
    func accessControlList(
        _ name: ExtendedAttributeName, of record: InodeRecord
    ) throws(MetadataError) -> AccessControlList? {
        guard let bytes = try extendedAttribute(name, of: record) else { return nil }
        do { return try AccessControlList(bytes) } catch {
            throw .corrupt("the ACL \(name) of inode \(record.inode) is none")
        }
    }
}
