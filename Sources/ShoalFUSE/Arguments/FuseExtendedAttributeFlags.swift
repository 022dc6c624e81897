/// How to set an extended attribute, as setxattr(2).
package struct FuseExtendedAttributeFlags: OptionSet, Hashable, Sendable {
    package let rawValue: Int32
    package init(rawValue: Int32) { self.rawValue = rawValue }
    /// XATTR_CREATE
    package static let create = FuseExtendedAttributeFlags(rawValue: 1)
    /// XATTR_REPLACE
    package static let replace = FuseExtendedAttributeFlags(rawValue: 2)
}
