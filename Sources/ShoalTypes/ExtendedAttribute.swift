/// One extended attribute of an inode, as a listing shows it.
package struct ExtendedAttribute: Hashable, Sendable {
    package var name: ExtendedAttributeName
    /// nil where the listing left it out for its length.
    package var value: [UInt8]?
    package init(name: ExtendedAttributeName, value: [UInt8]?) {
        self.name = name
        self.value = value
    }
}

/// How setxattr(2) treats an attribute that is there, or is not.
package struct ExtendedAttributeRule: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    /// XATTR_CREATE: `.exists` if it is there.
    package static let create = ExtendedAttributeRule(rawValue: 1)
    /// XATTR_REPLACE: `.noData` if it is not there.
    package static let replace = ExtendedAttributeRule(rawValue: 2)
    /// With an access ACL: the caller is not in the file's group and lacks CAP_FSETID, so the set-group-ID bit goes.
    package static let clearsSetGroupID = ExtendedAttributeRule(rawValue: 4)
    package static let all: ExtendedAttributeRule = [.create, .replace, .clearsSetGroupID]
}
