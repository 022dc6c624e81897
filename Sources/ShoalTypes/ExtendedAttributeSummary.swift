/// How much an inode's extended attributes take. Part of its attributes, so that whoever knows those knows without
/// asking that there are none.
package struct ExtendedAttributeSummary: Hashable, Sendable {
    /// The names, each with a NUL: the length of what listxattr(2) shows. At most `namesBytesMax`; 0: no attributes.
    package private(set) var nameBytes: UInt32 = 0
    /// The values. At most `inodeBytesMax`, names included.
    package private(set) var valueBytes: UInt32 = 0

    package init() {}
    /// nil if the numbers are out of their bounds, or tell of values without names.
    package init?(nameBytes: UInt32, valueBytes: UInt32) {
        guard nameBytes <= ExtendedAttributeLimits.namesBytesMax,
            valueBytes <= ExtendedAttributeLimits.inodeBytesMax - Int(nameBytes), nameBytes > 0 || valueBytes == 0
        else { return nil }
        self.nameBytes = nameBytes
        self.valueBytes = valueBytes
    }
    package static let none = ExtendedAttributeSummary()

    package var isEmpty: Bool { nameBytes == 0 }

    /// With an attribute more; nil if that is more than an inode may have.
    package func adding(_ name: ExtendedAttributeName, valueBytes count: Int) -> ExtendedAttributeSummary? {
        ExtendedAttributeSummary(
            nameBytes: nameBytes + UInt32(name.bytes.count + 1), valueBytes: valueBytes + UInt32(count))
    }

    /// Without an attribute; nil if that cannot have been counted.
    package func removing(_ name: ExtendedAttributeName, valueBytes count: Int) -> ExtendedAttributeSummary? {
        let names = Int(nameBytes) - name.bytes.count - 1
        let values = Int(valueBytes) - count
        guard names >= 0, values >= 0 else { return nil }
        return ExtendedAttributeSummary(nameBytes: UInt32(names), valueBytes: UInt32(values))
    }
}
